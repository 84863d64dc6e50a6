import { makeProblem, type Problem } from "../../estimators/core/problem.ts";
import { holdsOn, searchedCase, shapeFamilies, squareFamilies } from "../engine/cases.ts";
import { ourNames } from "../../estimators/methods/methods.ts";
import type { Claim } from "../engine/claim.ts";
import { Oracle } from "../measures/oracle.ts";
import { DELTA, SINGLE, VALUE_FEATURES } from "./settings.ts";

/** |s| max ‖q‖ max ‖k‖: no logit is larger, nor the sum of the magnitudes of its products. */
export function largestLogit({ query, key, features, scale }: Problem): number {
  const longest = (rows: Float32Array) => {
    let most = 0;
    for (let start = 0; start < rows.length; start += features) {
      let squared = 0;
      for (let t = 0; t < features; t++) squared += rows[start + t] ** 2;
      most = Math.max(most, squared);
    }
    return Math.sqrt(most);
  };
  return Math.abs(scale) * longest(query) * longest(key);
}

/** Largest difference from an exact output, over what single precision may make of it: logits of size L are off by about L·√features roundings. */
export function differenceOf(problem: Problem, output: ArrayLike<number>, exact: ArrayLike<number>): number {
  let largest = 0;
  for (let at = 0; at < exact.length; at++) largest = Math.max(largest, Math.abs(output[at] - exact[at]));
  return largest / (SINGLE * (8 + 4 * largestLogit(problem)) * Math.max(problem.largestValue, 1e-30));
}

/** {@link differenceOf} P V. */
export function differenceFrom({ problem, output: exact }: Oracle, output: ArrayLike<number>): number {
  return differenceOf(problem, output, exact);
}

/** Blocks that hold everything leave nothing to sample. */
export const singleBlock: Claim = {
  name: "single-block-exact",
  statement: "With one block for all keys the practical KDEformer is exact attention",
  formula: "bucket >= n_k ⟹ Att~ = Att",
  source: "Zandieh, Han, Daliri and Karbasi 2023, Algorithm 3",
  assumptions: "single precision",
  measurement: "largest difference from PV in float64, over what rounding of the logits explains",
  rule: { kind: "always", allowed: DELTA },
  bound: 1,
  cases: holdsOn("gaussian", "clustered", "heavy-tailed", "sink-key", "needle", ...shapeFamilies),
  anySource: true,
  n: 64,
  runs: 50,
  async run({ implementation, input, seed, on }) {
    const oracle = new Oracle(await input());
    const { output } = await on((backend) =>
      implementation.methods["kdeformer-practical"](
        backend,
        oracle.problem,
        { bucketSize: oracle.problem.keys, samples: 8, seed },
        {},
      )
    );
    return { measured: differenceFrom(oracle, output) };
  },
};

const BUDGET = { bucketSize: 16, samples: 16 };
/** Terms that any method adds up for one row: at most all keys, or its block and what it draws. */
const mostTerms = (keys: number) => keys + BUDGET.bucketSize + BUDGET.samples;

/**
 * Rows of a softmax sum to 1, whatever was sampled.
 *
 * Output and denominator add the same m terms of one sign, Σ w_j c and Σ w_j, with rounded weights w_j that are the same in both. Whatever
 * the order, the tiles and the lanes, each sum is off by at most m − 1 roundings of 2^−24 relative to it, since every term goes through at
 * most m − 1 additions (Higham, "Accuracy and Stability of Numerical Algorithms", 2002, §4.2; rescaling a running sum rounds both alike, once
 * a tile). Both together, with the products w_j c, the quotient, c itself and the merge of blocks and samples, stay below m · 2^−23. The bound
 * grows with n because the error does: of equal terms added one by one the sums' errors agree in sign.
 */
export const constantValues: Claim = {
  name: "constant-values",
  statement: "Equal values are returned as they are, to rounding",
  formula: "V = 1cᵀ ⟹ Att~ = 1cᵀ",
  source: "rows of P sum to 1, whatever stands in for them",
  assumptions: `single precision; exact, ${
    ourNames.join(", ")
  }, bucket ${BUDGET.bucketSize}, ${BUDGET.samples} samples`,
  measurement:
    "largest |output − c| / |c| in units of m 2⁻²³, m = n_k + bucket + samples the most terms of a sum of one sign",
  rule: { kind: "always", allowed: DELTA },
  bound: 1,
  cases: [
    ...holdsOn(
      "gaussian",
      "clustered",
      "sink-key",
      "permutation-softmax",
      "huge-logits",
      "shape-indivisible",
      "shape-one-key",
    ),
    searchedCase,
  ],
  anySource: true,
  n: 96,
  runs: 50,
  async run({ implementation, input, seed, on }) {
    const { query, key, value, scale } = await input({ valueFeatures: 3 }), constants = [3, -0.1, 1e4];
    const given = makeProblem(query, key, value, { scale });
    // Families of wide values have columns of their own number.
    const constantAt = (at: number) => constants[at % given.valueFeatures % 3];
    const problem = {
      ...given,
      value: given.value.map((_, at) => constantAt(at)),
      largestValue: 1e4,
    };
    const outputs = await on(async (backend) => {
      const found = [(await implementation.exactAttention(backend, problem)).output.slice()];
      for (const name of ourNames) {
        const { output } = await implementation.methods[name](backend, problem, { ...BUDGET, seed }, {});
        found.push(output.slice());
      }
      return found;
    });
    const unit = mostTerms(problem.keys) * SINGLE;
    let measured = 0;
    for (const output of outputs) {
      output.forEach((x, at) => {
        measured = Math.max(measured, Math.abs(x / Math.fround(constantAt(at)) - 1) / unit);
      });
    }
    return { measured };
  },
};

/** Exact attention is exact, and nothing overflows. */
export const exactKernels: Claim = {
  name: "exact-attention",
  statement: "Exact attention agrees with the formula in float64, for logits up to 10,000 as for small ones",
  formula: "Att = softmax(s QKᵀ) V",
  source: "the definition",
  assumptions: "single precision",
  measurement: "largest difference from PV in float64, over what rounding of the logits explains",
  rule: { kind: "always", allowed: DELTA },
  bound: 1,
  cases: [...holdsOn(...squareFamilies, "hard-instance", ...shapeFamilies), searchedCase],
  anySource: true,
  n: 64,
  runs: 50,
  async run({ implementation, input, on }) {
    const oracle = new Oracle(await input({ valueFeatures: VALUE_FEATURES }));
    const { output } = await on((backend) => implementation.exactAttention(backend, oracle.problem));
    return { measured: differenceFrom(oracle, output) };
  },
};
