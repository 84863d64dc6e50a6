import { kernelExponent, type KernelName, kernelNames } from "../../estimators/kde/kernels.ts";
import { type Tensor, tensor } from "../../kernels/tensor.ts";
import { changedSource, holdsOn, noInput, ownCase } from "../engine/cases.ts";
import type { Claim, RunContext } from "../engine/claim.ts";
import type { AttentionInput } from "../inputs/family.ts";
import { largestSingularValue } from "../measures/largest_singular_value.ts";
import { checkKeys, DELTA } from "./settings.ts";

/** So large that fewer points are sampled than there are at sizes whose matrix can be held. */
const EPSILON = 0.9;
/** The same for products, which need fewer points. */
const PRODUCT_EPSILON = 0.5;
/** Of densities under products. */
const FLOOR = 0.25;
const common = {
  source: "Backurs, Indyk, Musco and Wagner 2021; docs/theory.md §7",
  rule: { kind: "probability", allowed: DELTA },
  anySource: false,
  n: 640,
  runs: 60,
} as const;
/** The other kernels go the same way as the Gaussian one. */
const from = (kernel: KernelName) => kernel === "gaussian" ? undefined : "standard" as const;
const assumptions = `${4} dimensions; ε = ${EPSILON}`;

/** What a kernel is, for people. */
const FORMULAS: Readonly<Record<KernelName, string>> = {
  gaussian: "e^(−‖x_i−x_j‖²/2)",
  exponential: "e^(−‖x_i−x_j‖)",
  laplace: "e^(−‖x_i−x_j‖₁)",
};
const IN_WORDS: Readonly<Record<KernelName, string>> = {
  gaussian: "a Gaussian",
  exponential: "an exponential",
  laplace: "a Laplace",
};
/** Claims about the Gaussian kernel have no more in their name. */
const named = (name: string, kernel: KernelName) => kernel === "gaussian" ? name : `${name}-${kernel}`;

/** No point feels another: the sum is the diagonal. */
const farApart = changedSource("far-apart", "gaussian", (input) => {
  return { ...input, key: tensor(input.key.data.map((x) => 1e3 * x), input.key.shape) };
});

/** Points so many times as far apart, with a bandwidth that makes up for it. */
const BANDWIDTH = 2;
const widened = ({ data, shape }: Tensor) => tensor(Float32Array.from(data, (x) => BANDWIDTH * x), shape);

const FEATURES = { features: 4, valueFeatures: 1 };

/** Entries of a kernel matrix below its diagonal, which is 1. */
function eachEntry(
  { key: { data: points, shape: [, count, features] } }: AttentionInput,
  kernel: KernelName,
  take: (i: number, j: number, entry: number) => void,
): void {
  const exponent = kernelExponent(kernel, 1);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) {
      take(i, j, Math.exp(-exponent(points, i * features, points, j * features, features)));
    }
  }
}

/** Sums of inputs that several runs share. */
const totals = new WeakMap<AttentionInput, Partial<Record<KernelName, number>>>();

/** Keys in 4 dimensions as points, and the sum of their kernel matrix. */
async function kernelTotal(input: RunContext["input"], kernel: KernelName) {
  const given = await input(FEATURES), { key: { data, shape: [, count, features] } } = given;
  const known = totals.get(given) ?? {};
  if (known[kernel] === undefined) {
    let pairs = 0;
    eachEntry(given, kernel, (_i, _j, entry) => pairs += entry);
    known[kernel] = count + 2 * pairs;
    totals.set(given, known);
  }
  return { points: tensor(data, [count, features]), count, total: known[kernel] };
}

/** Keys in 4 dimensions, closer together, as points, and their kernel matrix. */
async function kernelMatrix(input: RunContext["input"], kernel: KernelName, bandwidth: number) {
  const given = await input(FEATURES), { key: { data, shape: [, count, features] }, value } = given;
  const points = tensor(data.map((x) => x / bandwidth), [count, features]);
  const matrix = new Float64Array(count * count).fill(1);
  eachEntry({ ...given, key: tensor(points.data, [1, count, features]) }, kernel, (i, j, entry) => {
    matrix[i * count + j] = matrix[j * count + i] = entry;
  });
  return { points, matrix, count, value: value.data };
}

const SUMMED = ["gaussian", "clustered", "heavy-tailed", "duplicated-keys"] as const;

/** Sum of a kernel matrix from few of its entries. */
export const kernelSumClaims: readonly Claim[] = kernelNames.map((kernel) => ({
  ...common,
  assumptions,
  name: named("kernel-sum", kernel),
  from: from(kernel),
  statement: `The sum of ${
    IN_WORDS[kernel]
  } kernel matrix is found within a factor 1 ± ε with probability 1 − δ`,
  formula: `P[|ŝ − s| > ε s] <= δ, s = Σ_ij ${FORMULAS[kernel]}`,
  measurement: "|ŝ/s − 1|, s in float64",
  bound: EPSILON,
  cases: [...holdsOn(...SUMMED), ownCase(farApart)],
  // At smaller δ samples are as large as smaller sets of points; the other kernels, which the host sums, stay at theirs.
  ownDelta: kernel !== "gaussian",
  ...(kernel === "gaussian" &&
    { standard: { n: 4096, families: [...SUMMED, farApart.name], runsPerInput: 100 } }),
  async run({ implementation, input, seed, device, delta }) {
    const { points, count, total } = await kernelTotal(input, kernel);
    const target = { kernel, bandwidth: BANDWIDTH, epsilon: EPSILON, delta, seed, device };
    const { sum, kernelEvaluations } = await implementation.kernelSum(widened(points), target);
    const evaluationShare = kernelEvaluations / count ** 2;
    return { measured: Math.abs(sum / total - 1), telling: evaluationShare < 1, plot: { evaluationShare } };
  },
}));

/** Of points at one place any sample tells the sum. */
export const kernelSumOnePlace: Claim = {
  name: "kernel-sum-one-place",
  statement:
    "A sample of points that all lie at one place tells the sum of their kernel matrix, however few it has",
  formula: "K = 11ᵀ ⟹ ŝ = n²",
  source: "docs/theory.md §7: pairs of a sample stand for n(n − 1)/(m(m − 1)) pairs each",
  assumptions: "samples of 2 to 33 points; single precision",
  measurement: "|ŝ/n² − 1|",
  rule: { kind: "always", allowed: DELTA },
  bound: 1e-5,
  cases: kernelNames.map((kernel) => ownCase(noInput(kernel))),
  anySource: false,
  n: 640,
  runs: 40,
  async run({ implementation, seed, device, delta, n, family, run }) {
    checkKeys(n, 2, "a sample has pairs");
    const points = tensor(new Float32Array(4 * n).fill(1), [n, 4]), samples = Math.min(n, 2 + run % 32);
    const target = { kernel: family as KernelName, epsilon: EPSILON, delta, seed, device, samples };
    const { sum } = await implementation.kernelSum(points, target);
    return { measured: Math.abs(sum / n ** 2 - 1), telling: samples < n };
  },
};

/** Products with vectors of no negative entry. */
export const kernelProductClaims: readonly Claim[] = kernelNames.map((kernel) => ({
  ...common,
  name: named("kernel-product", kernel),
  from: from(kernel),
  statement:
    `With probability 1 − δ the product of ${
      IN_WORDS[kernel]
    } kernel matrix with a vector of no negative entry ` +
    "has every entry within ε of it, or of a floor",
  formula: "P[max_i |z_i − (K w)_i|/max((K w)_i, μ Σ w) > ε] <= δ",
  assumptions:
    `${4} dimensions; ε = ${PRODUCT_EPSILON}, μ = ${FLOOR}, bandwidth 3, weights e^(2v) of random v`,
  measurement: "max_i |z_i − (K w)_i|/max((K w)_i, μ Σ w), K w in float64",
  bound: PRODUCT_EPSILON,
  cases: holdsOn("gaussian", "clustered", "low-rank", "duplicated-keys"),
  async run({ implementation, input, seed, device, delta }) {
    const { points, matrix, count, value } = await kernelMatrix(input, kernel, 3);
    const weights = Float64Array.from(value, (v) => Math.exp(2 * v)), least = FLOOR * sumOf(weights);
    const { product, kernelEvaluations } = await implementation.kernelProduct(points, weights, {
      ...{ kernel, epsilon: PRODUCT_EPSILON, delta, densityFloor: FLOOR, seed, device },
    });
    let measured = 0;
    for (let i = 0; i < count; i++) {
      let truth = 0;
      for (let j = 0; j < count; j++) truth += matrix[i * count + j] * weights[j];
      measured = Math.max(measured, Math.abs(product[i] - truth) / Math.max(truth, least));
    }
    const evaluationShare = kernelEvaluations / matrix.length;
    return { measured, telling: evaluationShare < 1, plot: { evaluationShare } };
  },
}));

/** Largest eigenvalue by noisy products. */
export const topEigenvalueClaims: readonly Claim[] = kernelNames.map((kernel) => ({
  ...common,
  name: named("top-eigenvalue", kernel),
  from: from(kernel),
  statement: `The largest eigenvalue of ${
    IN_WORDS[kernel]
  } kernel matrix is found within a factor 1 ± ε with probability 1 − δ`,
  formula: "P[|λ~ − λ₁| > ε λ₁] <= δ",
  assumptions: `${assumptions}, bandwidth 3, products by sampling`,
  measurement: "|λ~/λ₁ − 1|, λ₁ in float64, from below",
  bound: EPSILON,
  cases: holdsOn("gaussian", "clustered", "low-rank", "duplicated-keys"),
  async run({ implementation, input, seed, device, delta }) {
    const { points, matrix, count } = await kernelMatrix(input, kernel, 3);
    const { value, kernelEvaluations, rounds } = await implementation.topEigenpair(points, {
      ...{ kernel, epsilon: EPSILON, delta, densityFloor: FLOOR, seed, device },
    });
    const measured = Math.abs(value / largestSingularValue(matrix, count, count) - 1);
    const evaluationShare = kernelEvaluations / rounds / matrix.length;
    return { measured, telling: evaluationShare < 1, plot: { evaluationShare } };
  },
}));

function sumOf(values: Float64Array): number {
  return values.reduce((a, b) => a + b, 0);
}
