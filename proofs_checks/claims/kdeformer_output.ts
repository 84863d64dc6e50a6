import { uniformDensity } from "../../estimators/kde/uniform.ts";
import { makeProblem } from "../../estimators/core/problem.ts";
import { tensor } from "../../kernels/tensor.ts";
import { familySource, noInput, ownCase } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { inputFamily } from "../inputs/families.ts";
import { Oracle } from "../measures/oracle.ts";
import { checkKeys, DELTA } from "./settings.ts";
import { sharedKey } from "./shared_key.ts";
import { stackHeads, unlikeHeads } from "./stacked_heads.ts";

/** So few draws that dividing by their own weights shows. */
const DRAWS = 2, REPEATS = 4, LEAST_KEYS = 48;

/**
 * The denominators of Algorithm 1 are those of the densities, not of the sample. One key has half of every row and the only value that is not 0. Of p = ¾ a
 * draw gives ⅔ for it, else 0: the mean of two is ½ with a standard deviation of 1/√24. Divided by their own weights they would give 0.66.
 */
export const kdeformerUnbiased: Claim = {
  name: "kdeformer-unbiased",
  statement: "The output of Algorithm 1 has attention as its expectation, however few keys are drawn",
  formula: "E[D~⁻¹AΠᵀΠV] = D~⁻¹AV",
  source: "Zandieh, Han, Daliri and Karbasi 2023, Algorithm 1; Horvitz and Thompson 1952",
  assumptions:
    `${DRAWS} draws, densities by uniform sampling of all keys; half of each row lies on one key, which alone has a value`,
  measurement: `(mean over rows and ${REPEATS} seeds of D~/D output − ½) / its standard deviation`,
  rule: { kind: "mean", tolerance: 0.4 },
  bound: 0,
  cases: [ownCase(familySource(sharedKey, { levels: [[1, 0.5]], own: false }, "half-of-each-row"))],
  anySource: false,
  n: 96,
  runs: 400,
  async run({ implementation, input, seed, on, delta }) {
    const given = await input({ queries: 8, features: 8, valueFeatures: 1 }),
      { keys } = new Oracle(given).problem;
    checkKeys(keys, LEAST_KEYS, "a draw is to have less than the whole");
    const { softmax } = new Oracle(given), row = softmax.subarray(0, keys);
    const value = Float32Array.from(row, (weight) => weight > 0.25 ? 1 : 0);
    const problem = makeProblem(given.query, given.key, tensor(value, [1, keys, 1]), { scale: given.scale });
    const { logRowSums } = new Oracle({ ...given, value: tensor(value, [1, keys, 1]) });
    const target = { epsilon: 0.5, delta, densityFloor: 0.01, fit: uniformDensity, samples: DRAWS };
    let mean = 0;
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      const { output, logSumExp } = await on((backend) =>
        implementation.kdeformer(backend, problem, { ...target, seed: seed + repeat })
      );
      output.forEach((x, i) => mean += x * Math.exp(logSumExp[i] - logRowSums[i]) / output.length / REPEATS);
    }
    return { measured: (mean - 0.5) * Math.sqrt(24 * REPEATS) };
  },
};

/** Heads in a row, of which the first and the last are looked at. */
const HEADS = ["gaussian", "uniform-softmax", "clustered"] as const, EPSILON = 0.5;

/** The guarantee is one of every head. */
export const kdeformerHeads: Claim = {
  name: "kdeformer-heads",
  statement: "Algorithm 1 gives the first and the last of three unlike heads attention within ε‖P‖‖V‖",
  formula: "P[‖Att~_h − Att_h‖ > ε‖P_h‖‖V_h‖] <= δ",
  source: "Zandieh, Han, Daliri and Karbasi 2023, the main theorem, of each head; docs/theory.md §3",
  assumptions: `ε = ${EPSILON}, densities by uniform sampling, exact where that costs no more`,
  measurement: "‖output − PV‖ / (‖P‖‖V‖) of the head, P and PV in float64",
  rule: { kind: "probability", allowed: DELTA },
  bound: EPSILON,
  cases: [ownCase(noInput("first-head")), ownCase(noInput("last-head"))],
  anySource: false,
  n: 128,
  runs: 60,
  size: (n) => 8 * n,
  async run({ implementation, on, n, seed, delta, family }) {
    const inputs = unlikeHeads(HEADS, n, seed), problem = stackHeads(inputs);
    const target = { epsilon: EPSILON, delta, densityFloor: 0.01, seed, fit: uniformDensity };
    const { output } = await on((backend) => implementation.kdeformer(backend, problem, target));
    const at = family === "first-head" ? 0 : HEADS.length - 1, size = output.length / HEADS.length;
    return { measured: new Oracle(inputs[at]).relativeError(output.subarray(at * size, (at + 1) * size)) };
  },
};

/** The constant that values are moved by. */
const MOVED = 4;

/** What the method of that name does around Algorithm 1. */
export const kdeformerMoved: Claim = {
  name: "kdeformer-value-shift",
  statement: "A constant added to all values is added to what Algorithm 1 gives on a budget, draw for draw",
  formula: "Att~(V + 1cᵀ) = Att~(V) + 1cᵀ",
  source: "softmax rows sum to 1; the mean of the values is taken off before and added after",
  assumptions: `single precision; c = ${MOVED}; so many keys that densities cost less than exact attention`,
  measurement: "largest difference over the size of the values",
  rule: { kind: "always", allowed: DELTA },
  bound: 2 ** -11,
  cases: [ownCase(familySource(inputFamily("bounded-norms")))],
  anySource: false,
  from: "standard",
  n: 8192,
  runs: 40,
  size: (n) => 64 * n,
  async run({ implementation, input, seed, on, n }) {
    const { query, key, value, scale } = await input({ features: 16, valueFeatures: 4 });
    const budget = { bucketSize: Math.ceil(n / 256), samples: Math.ceil(n / 256), seed };
    const outputs: Float32Array[] = [];
    let telling = true;
    for (const by of [0, MOVED]) {
      const moved = tensor(value.data.map((x) => x + by), value.shape);
      const problem = makeProblem(query, key, moved, { scale });
      const { output, exact } = await on((backend) =>
        implementation.methods.kdeformer(backend, problem, budget, {})
      );
      outputs.push(output.slice());
      telling &&= !exact;
    }
    const largest = value.data.reduce((most, x) => Math.max(most, Math.abs(x)), 0) + MOVED;
    const measured = outputs[0].reduce(
      (most, x, at) => Math.max(most, Math.abs(outputs[1][at] - MOVED - x)),
      0,
    );
    return { measured: measured / largest, telling };
  },
};
