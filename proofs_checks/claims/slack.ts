/** Why groups of claims stay far inside of their bounds on every input, and where what they might miss is seen. */
const GROUPS: readonly { readonly why: string; readonly claims: readonly string[] }[] = [
  {
    why:
      "what comes near its bound is not an error but how often certificates are false: a third to four fifths of δ on sharp rows, the input that a check is likeliest to miss",
    claims: [
      "certificate-approximation",
      "certificate-spoilt-rows",
      "certificate-moved-rows",
      "certificate-sharp-rows",
      "certificate-coverage-quarter",
      "certificate-coverage-tenth",
      "certificate-coverage-hundredth",
      "certificate-known-seed",
    ],
  },
  {
    why: "a run is right or wrong, with nothing between",
    claims: [
      "certificate-non-finite",
      "bad-input",
      "merged-keys-certified",
      "robust-range",
      "invariance-batch",
      "invariance-query-order",
      "invariance-value-scale",
    ],
  },
  {
    why:
      "the bound is that of all roundings with the worst signs, and of any order of sums; what is not a rounding is many times larger",
    claims: [
      "lift-identity",
      "density-error-exact",
      "key-probabilities",
      "exact-attention",
      "single-block-exact",
      "block-masks",
      "kernel-sum-one-place",
      "kdeformer-value-shift",
      "constant-values",
      "merge-identity",
      "visible-keys",
      "invariance-value-shift",
      "invariance-key-shift",
      "far-keys",
      "invariance-key-order",
      "invariance-rotation",
      "tree-masses",
      "tree-exact-at-centres",
      "tree-single-keys",
      "tree-few-queries",
      "certificate-estimate",
      "certificate-refused",
      "certificate-rounding",
      "softmax-spectrum",
    ],
  },
  {
    why:
      "the number of samples is that for the worst matrix of this size, with the largest eigenvalue that its sum allows; a matrix that can be held is far from it",
    claims: [
      "kernel-sum",
      "kernel-sum-exponential",
      "kernel-sum-laplace",
      "kernel-product",
      "kernel-product-exponential",
      "kernel-product-laplace",
      "top-eigenvalue",
      "top-eigenvalue-exponential",
      "top-eigenvalue-laplace",
    ],
  },
  {
    why:
      "matrix Bernstein's inequality has room for every dimension and for the worst of all matrices with such norms; sample-sizes checks the numbers of samples themselves",
    claims: ["spectral-guarantee", "kdeformer-heads", "product-bound", "residual-sampling"],
  },
  {
    why:
      "Chebyshev's inequality has room for any distribution of draws; sample-sizes checks the numbers of draws themselves",
    claims: ["density-error-multi-level", "density-error-hashed"],
  },
  {
    why: "constants of the theorem as it is proven, which hold for every input of such norms",
    claims: [
      "thinformer-promise",
      "balancekv-promise",
      "wildcat-promise",
      "hyperattention-promise",
    ],
  },
  {
    why:
      "the weights of outliers are 0, and those of clean keys 1: errors are rounding, or the statement fails",
    claims: ["robust-drift-hampel", "robust-clean-hampel"],
  },
];

/** Reasons by the claim's name. */
export const slack: ReadonlyMap<string, string> = new Map(
  GROUPS.flatMap(({ why, claims }) => claims.map((claim) => [claim, why] as const)),
);
