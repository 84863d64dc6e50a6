/** Why groups of claims have no mutant of their own, and which they are. */
const GROUPS: readonly { readonly why: string; readonly claims: readonly string[] }[] = [
  {
    why: "a theorem about P itself: nothing of the implementation runs that could be broken",
    claims: ["residual-mass", "softmax-norm-range"],
  },
  {
    why:
      "draws that the claim makes for itself, through the one part that product-unbiased and column-norm-sampling see broken",
    claims: ["uniform-sampling", "value-norm-sampling"],
  },
  {
    why: "the mutants of product-bound and product-unbiased break the same draws and counts",
    claims: ["product-slope", "residual-sampling"],
  },
  {
    why: "the mutant of row-sums breaks the same estimates, of which columns are the transpose",
    claims: ["column-norms"],
  },
  {
    why: "the mutant of density-unbiased-hashing-based breaks the draw that all three share",
    claims: ["density-unbiased-multi-level", "density-unbiased-nearest-neighbour"],
  },
  {
    why: "a wide bound, ε = 0.4 or 0.9, on an estimator whose own tests hold it to its variance",
    claims: [
      "density-error-exact",
      "density-error-uniform",
      "density-error-hashing-based",
      "density-error-multi-level",
      "density-error-nearest-neighbour",
    ],
  },
  {
    why: "the kernel of gray-order, whose mutant breaks the ranks that this claim reads",
    claims: ["hash-collision"],
  },
  {
    why:
      "what a method errs on families, a measurement: its parts are broken one by one in denominator-unbiased and single-block-exact",
    claims: ["block-removal", "practical-error", "practical-slope", "residual-slope", "hardness-boundary"],
  },
  {
    why: "a comparison of two methods, as calibrated-error is, whose mutants swap and break one of them",
    claims: ["routed-error"],
  },
  {
    why: "one of seven invariances with one measurement, of which value-scale and key-shift have mutants",
    claims: [
      "invariance-value-shift",
      "invariance-key-order",
      "invariance-query-order",
      "invariance-rotation",
      "invariance-batch",
    ],
  },
  {
    why: "must be refuted on each of its families, by what the variant is: a fault would be seen nowhere",
    claims: [
      "robust-drift-published-bandwidth",
      "robust-drift-huber",
      "robust-drift-spkde",
      "robust-drift-median-of-means",
      "robust-clean-percentiles",
      "robust-clean-published-bandwidth",
      "robust-clean-spkde",
      "robust-clean-median-of-means",
    ],
  },
  {
    why:
      "certificates hold in few of its runs, so that one that is broken is hardly seen; certificate-spoilt-rows sees it",
    claims: ["certificate-approximation", "certificate-moved-rows", "certified-attention"],
  },
  {
    why:
      "the claims heads-in-company and heads-draw-apart about other methods, whose mutants break the same loops",
    claims: ["rivals-in-company", "rivals-draw-apart", "rivals-draw-apart-in-turn"],
  },
  {
    why: "the check of certificate-sharp-rows, whose mutants break it, at another δ",
    claims: ["certificate-coverage-quarter", "certificate-coverage-tenth", "certificate-coverage-hundredth"],
  },
  {
    why:
      "what it is about lies inside of attention() and of estimators, whose sources are broken instead: docs/mutants.md",
    claims: [
      "density-error-hashed",
      "hashing-cost",
      "estimated-error",
      "tolerance-kept",
      "loose-tolerance",
      "far-keys",
      "bad-input",
      "certificate-refused",
    ],
  },
];

/** Reasons by the claim's name. */
export const withoutMutant: ReadonlyMap<string, string> = new Map(
  GROUPS.flatMap(({ why, claims }) => claims.map((claim) => [claim, why] as const)),
);
