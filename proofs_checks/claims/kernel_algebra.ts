import { tensor } from "../../kernels/tensor.ts";
import { changedSource, holdsOn, ownCase } from "../engine/cases.ts";
import type { Claim, RunContext } from "../engine/claim.ts";
import { largestSingularValue } from "../measures/largest_singular_value.ts";
import { DELTA } from "./settings.ts";

/** So large that fewer points are sampled than there are at sizes whose matrix can be held. */
const EPSILON = 0.9;
const common = {
  source: "Backurs, Indyk, Musco and Wagner 2021; docs/theory.md §5",
  rule: { kind: "probability", allowed: DELTA },
  bound: EPSILON,
  anySource: false,
  runs: 60,
} as const;

/** No point feels another: the sum is the diagonal. */
const farApart = changedSource("far-apart", "gaussian", (input) => {
  return { ...input, key: tensor(input.key.data.map((x) => 1e3 * x), input.key.shape) };
});

/** Keys in 4 dimensions as points, and their kernel matrix. */
async function kernelMatrix(input: RunContext["input"], bandwidth: number) {
  const { key } = await input({ features: 4, valueFeatures: 1 }), [, count, features] = key.shape;
  const points = key.data.map((x) => x / bandwidth);
  const kernel = Float64Array.from({ length: count * count }, (_, at) => {
    const i = Math.floor(at / count), j = at % count;
    let squared = 0;
    for (let t = 0; t < features; t++) {
      squared += (points[i * features + t] - points[j * features + t]) ** 2;
    }
    return Math.exp(-squared / 2);
  });
  return { points: tensor(points, [count, features]), kernel, count };
}

/** Sum of a kernel matrix from few of its entries. */
export const kernelSumClaim: Claim = {
  ...common,
  name: "kernel-sum",
  statement: "The sum of a Gaussian kernel matrix is found within a factor 1 ± ε with probability 1 − δ",
  formula: "P[|ŝ − s| > ε s] <= δ, s = Σ_ij e^(−‖x_i−x_j‖²/2)",
  assumptions: `${4} dimensions; ε = ${EPSILON}`,
  measurement: "|ŝ/s − 1|, s in float64",
  cases: [...holdsOn("gaussian", "clustered", "heavy-tailed", "duplicated-keys"), ownCase(farApart)],
  n: 640,
  async run({ implementation, input, seed, device, delta }) {
    const { points, kernel } = await kernelMatrix(input, 1), truth = kernel.reduce((a, b) => a + b, 0);
    const target = { epsilon: EPSILON, delta, seed, device };
    const { sum, kernelEvaluations } = await implementation.kernelSum(points, target);
    const evaluationShare = kernelEvaluations / kernel.length;
    return { measured: Math.abs(sum / truth - 1), telling: evaluationShare < 1, plot: { evaluationShare } };
  },
};

/** Largest eigenvalue by noisy products. */
export const topEigenvalue: Claim = {
  ...common,
  name: "top-eigenvalue",
  statement:
    "The largest eigenvalue of a Gaussian kernel matrix is found within a factor 1 ± ε with probability 1 − δ",
  formula: "P[|λ~ − λ₁| > ε λ₁] <= δ",
  assumptions: `${4} dimensions; ε = ${EPSILON}, bandwidth 3, products by uniform sampling`,
  measurement: "|λ~/λ₁ − 1|, λ₁ in float64, from below",
  cases: holdsOn("gaussian", "clustered", "low-rank", "duplicated-keys"),
  n: 640,
  async run({ implementation, input, seed, device, delta }) {
    const { points, kernel, count } = await kernelMatrix(input, 3);
    const { value, kernelEvaluations, rounds } = await implementation.topEigenpair(points, {
      epsilon: EPSILON,
      delta,
      densityFloor: 0.25,
      seed,
      device,
    });
    const measured = Math.abs(value / largestSingularValue(kernel, count, count) - 1);
    const evaluationShare = kernelEvaluations / rounds / kernel.length;
    return { measured, telling: evaluationShare < 1, plot: { evaluationShare } };
  },
};
