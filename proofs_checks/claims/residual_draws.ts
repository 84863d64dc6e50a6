import { Purpose, RandomStream } from "../../kernels/random.ts";
import { holdsOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { Oracle } from "../measures/oracle.ts";
import { checkKeys } from "./settings.ts";

const SAMPLES = 24, REPEATS = 4, LEAST_KEYS = 48;

/** Keys that are sure to be drawn are taken once, and the others stand for the rest. */
export const residualDraws: Claim = {
  name: "residual-draws-unbiased",
  statement:
    "Keys drawn for a residual, those that are sure once and the others with their weights, have the sum over all keys as expectation",
  formula: "E Σ_s w_s f(k_s) = Σ_j f(k_j)",
  source: "Horvitz and Thompson 1952; estimators/methods/kdeformer_residual/residual_sample.ts",
  assumptions: "f a row of P, and 1; importance the root of a mean column of P²",
  measurement:
    `(mean of ${REPEATS} samples of ${SAMPLES} keys − truth) / an upper bound on its standard deviation, that of independent draws of the keys that are not sure`,
  rule: { kind: "mean", tolerance: 0.75 },
  bound: 0,
  cases: holdsOn("gaussian", "clustered", "sink-key", "heavy-tailed", "duplicated-keys"),
  anySource: true,
  n: 96,
  runs: 200,
  async run({ implementation, input, seed, run }) {
    const { softmax, problem: { queries, keys } } = new Oracle(
      await input({ valueFeatures: 1, queries: 16 }),
    );
    checkKeys(keys, LEAST_KEYS, `${SAMPLES} of them are to be a sample`);
    const importance = new Float64Array(keys);
    for (let at = 0; at < softmax.length; at++) importance[at % keys] += softmax[at] ** 2 / queries;
    const most = Math.sqrt(importance.reduce((a, b) => Math.max(a, b), 0));
    importance.forEach((x, j) => importance[j] = Math.sqrt(x) + 0.02 * most);
    const row = new RandomStream(seed, Purpose.data).integer(queries);
    const f = run % 2 ? new Float64Array(keys).fill(1) : softmax.subarray(row * keys, (row + 1) * keys);
    let estimate = 0;
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      const stream = new RandomStream(seed, Purpose.samples, repeat);
      const { index, weights } = implementation.sampleResidual(importance, SAMPLES, stream);
      index.forEach((key, at) => estimate += weights[at] * f[key] / REPEATS);
    }
    const truth = f.reduce((a, b) => a + b, 0), { rest, draws, left } = uncertain(importance);
    // Strata lower the variance; the least is that of rounding.
    const second = left.reduce((sum, j) => sum + f[j] ** 2 * rest / importance[j], 0);
    const variance = Math.max(second - left.reduce((sum, j) => sum + f[j], 0) ** 2, 0) / (draws * REPEATS);
    return { measured: (estimate - truth) / Math.sqrt(Math.max(variance, (1e-6 * truth) ** 2)) };
  },
};

/** The keys whose share of what is left is less than a draw, heaviest first taken off. */
function uncertain(importance: Float64Array): { rest: number; draws: number; left: number[] } {
  const left = Array.from(importance.keys()).sort((a, b) => importance[a] - importance[b]);
  let rest = importance.reduce((a, b) => a + b, 0), draws = SAMPLES;
  while (draws > 1 && importance[left[left.length - 1]] >= rest / draws) {
    rest -= importance[left.pop()!];
    draws--;
  }
  return { rest, draws, left };
}
