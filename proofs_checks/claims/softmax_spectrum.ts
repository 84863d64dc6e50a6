import { gramImages, rowsOf } from "../../estimators/linear_algebra/gram_images.ts";
import { squaredLength } from "../../estimators/linear_algebra/lower_operator_norm.ts";
import { symmetricEigenpairs } from "../../estimators/linear_algebra/symmetric_eigenpairs.ts";
import { holdsOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { Oracle } from "../measures/oracle.ts";
import { checkKeys, DELTA } from "./settings.ts";

/** Upper over lower bound of ‖P‖, less 1, that exact products are asked for. */
const TOLERANCE = 1e-3;
/** Rows that a sample has, and what products of single precision may add to bounds in real numbers. */
const ROWS = 80, ROUNDING = 1e-4;

/** Up to so many keys all singular values are computed: of more, the norms alone are compared. */
const MOST_DENSE = 128;

/** All singular values in float64, the largest first. */
function singularValues({ softmax, problem: { queries, keys } }: Oracle): Float64Array {
  const unit = (at: number) => Float64Array.from({ length: keys }, (_, j) => j === at ? 1 : 0);
  const gram = new Float64Array(keys * keys), units = Array.from({ length: keys }, (_, at) => unit(at));
  gramImages(rowsOf(softmax, queries, keys), units).forEach((image, at) => gram.set(image, at * keys));
  return symmetricEigenpairs(gram, keys).values.map((value) => Math.sqrt(Math.max(0, value)));
}

/** The spectrum of P where it cannot be held. */
export const spectrumByProducts: Claim = {
  name: "softmax-spectrum",
  statement:
    "Products through attention kernels enclose the norm of a softmax matrix to a thousandth and find its Frobenius norm and " +
    "leading singular values, each within its residual of one that P has",
  formula: "σ⁻ <= ‖P‖ <= σ⁺ <= (1 + τ) σ⁻, ‖P‖_F² = Σ_i e^(L_i(2s) − 2 L_i(s)), min_j |σ~_i − σ_j| <= r_i",
  source:
    "Golub and Van Loan, Matrix Computations, §10.3.6; Collatz 1942; Wielandt 1950; docs/theory.md §7.1",
  assumptions: `every key visible to every query; τ = ${TOLERANCE}`,
  measurement:
    "the largest of what each is off by, in ‖P‖, in float64, and of σ⁺ − σ⁻; singular values up to 128 keys",
  rule: { kind: "always", allowed: DELTA },
  bound: 2 * TOLERANCE,
  cases: holdsOn(
    "gaussian",
    "clustered",
    "sink-key",
    "permutation-softmax",
    "huge-logits",
    "shape-more-keys",
    "shape-one-query",
  ),
  anySource: true,
  n: 96,
  runs: 50,
  async run({ implementation, input, seed, device }) {
    const drawn = await input({ valueFeatures: 1 }),
      { query, key, scale } = drawn,
      oracle = new Oracle(drawn);
    const isSmall = oracle.problem.keys <= MOST_DENSE,
      truth = isSmall ? singularValues(oracle) : new Float64Array();
    const known = isSmall ? { lower: truth[0], upper: truth[0] } : oracle.softmaxNormBounds;
    const [found] = await implementation.softmaxSpectrum(query, key, {
      ...{ scale, tolerance: TOLERANCE, seed, device },
    });
    const { lower, upper } = found.norm, trace = squaredLength(oracle.softmax), norm = known.lower;
    let off = Math.max(lower - known.upper, known.lower - upper, upper - lower) / norm;
    off = Math.max(off, Math.abs(found.squaredFrobenius.estimate / trace - 1));
    if (isSmall) {
      found.singularValues.forEach((value, rank) => {
        const nearest = truth.reduce((least, own) => Math.min(least, Math.abs(own - value)), Infinity);
        off = Math.max(off, (value - truth[rank]) / norm, (nearest - found.residuals[rank]) / norm);
      });
    }
    return { measured: Math.max(0, off) };
  },
};

/** What some rows of P tell. */
export const spectrumByRows: Claim = {
  name: "softmax-spectrum-sampled",
  statement:
    "With probability 1 − δ the bounds that some rows of a softmax matrix give on its norm and its Frobenius norm hold",
  formula: "P[σ⁻ <= ‖P‖ <= σ⁺ and f⁻ <= ‖P‖_F² <= f⁺] >= 1 − δ",
  source: "Hoeffding 1963, Theorem 1 and §6; docs/theory.md §7.1",
  assumptions: `more queries than rows, which are ${ROWS}; every key visible to every query`,
  measurement: "max(σ⁻/‖P‖, ‖P‖/σ⁺, f⁻/‖P‖_F², ‖P‖_F²/f⁺), in float64",
  rule: { kind: "probability", allowed: DELTA },
  bound: 1 + ROUNDING,
  cases: holdsOn("gaussian", "clustered", "heavy-tailed", "sink-key", "bounded-norms", "cluster-imbalance"),
  anySource: true,
  n: 300,
  runs: 60,
  async run({ implementation, input, seed, device, delta }) {
    const drawn = await input({ valueFeatures: 1 }),
      { query, key, scale } = drawn,
      oracle = new Oracle(drawn);
    checkKeys(oracle.problem.queries, ROWS + 1, "rows of the sample are all that there are");
    const truth = oracle.softmaxNormBounds, trace = squaredLength(oracle.softmax);
    const [{ norm, squaredFrobenius: squares, keyEvaluations }] = await implementation.softmaxSpectrum(
      query,
      key,
      {
        ...{ method: "sampled", rows: ROWS, scale, delta, seed, device },
      },
    );
    const measured = Math.max(
      norm.lower / truth.upper,
      truth.lower / norm.upper,
      squares.lower / trace,
      trace / squares.upper,
    );
    return { measured, plot: { evaluationShare: keyEvaluations / oracle.softmax.length } };
  },
};
