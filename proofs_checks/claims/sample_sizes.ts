import type { DensityTarget, FitDensity } from "../../estimators/kde/density.ts";
import { exactDensity } from "../../estimators/kde/exact.ts";
import { guessesDownTo } from "../../estimators/kde/floor_search.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { tensor } from "../../kernels/tensor.ts";
import { familySource, noInput, ownCase } from "../engine/cases.ts";
import type { Claim, RunContext } from "../engine/claim.ts";
import { inputFamily } from "../inputs/families.ts";
import { squaredLength } from "../../estimators/linear_algebra/lower_operator_norm.ts";
import { Oracle } from "../measures/oracle.ts";
import { binomialUpperTail } from "../statistics/binomial.ts";
import { DELTA, linearSize } from "./settings.ts";

/** Chances of failure are computed to about this, relatively. */
const ROUNDING = 1e-9;

/** Draws what is asked for, over the whole range that users ask in. */
function drawTarget(seed: number): DensityTarget {
  const random = new RandomStream(seed, Purpose.data);
  const between = (low: number, high: number) => low * (high / low) ** random.uniform();
  return {
    epsilon: between(0.05, 0.95),
    delta: between(1e-6, 0.5),
    densityFloor: between(0.005, 0.5),
    seed,
  };
}

/** The chance that a mean of so many kernel values, 1 at a share `floor` of the points and 0 at the others, is off by more than epsilon. */
function chanceOfMiss(size: number, { epsilon, densityFloor: floor }: DensityTarget): number {
  // Strictly outside, as the guarantee has it.
  const above = Math.floor(size * floor * (1 + epsilon)) + 1,
    below = Math.ceil(size * floor * (1 - epsilon)) - 1;
  const high = above <= size ? binomialUpperTail(above, size, floor) : 0;
  return high + (below >= 0 ? binomialUpperTail(size - below, size, 1 - floor) : 0);
}

/** How a size is judged: the chance of failure that it leaves, over the one allowed. */
const judged: Readonly<Record<string, (context: RunContext) => Promise<number> | number>> = {
  "uniform-sample"({ implementation, seed }) {
    const target = drawTarget(seed), { epsilon, delta, densityFloor } = target;
    return chanceOfMiss(implementation.uniformSampleSize(epsilon, delta, densityFloor), target) / delta;
  },
  "median-of-means"({ implementation, seed }) {
    const { epsilon, delta, densityFloor } = drawTarget(seed), variance = 1 / densityFloor;
    const { groups, perGroup } = implementation.planMedianOfMeans(variance, epsilon, delta);
    // Half of the groups must fail, each by Chebyshev's inequality.
    const failed = Math.min(1, variance / (perGroup * epsilon ** 2));
    return binomialUpperTail(Math.ceil(groups / 2), groups, failed) / delta;
  },
  "matrix-bernstein"({ implementation, seed }) {
    const { epsilon, delta, densityFloor } = drawTarget(seed), dimensions = Math.ceil(1e3 / densityFloor);
    const terms = { epsilon, delta, dimensions, stableRank: 1 / densityFloor, looseness: 1 + epsilon };
    return bernsteinChance(implementation.bernsteinSamples(terms), terms) / delta;
  },
  async "first-guess"({ implementation, seed, on, n }) {
    const target = drawTarget(seed), { epsilon, delta, densityFloor } = target;
    const [first, ...lower] = guessesDownTo(densityFloor);
    // Points that all lie on the query: the first guess is taken, and its sample is all that is looked at.
    const points = new Float32Array(8 * n);
    const { kernelEvaluations } = await on((backend) =>
      implementation.densityFit("uniform")(backend, points, 1, target).logDensity(points.subarray(0, 1))
    );
    const needed = implementation.uniformSampleSize(epsilon, delta / (1 + lower.length), first);
    return Math.min(needed, 8 * n) / kernelEvaluations;
  },
  async "second-guess"({ implementation, seed, on, n }) {
    // A fifth of the points on the query: of a quarter no sample finds so many that they would do, of a sixteenth any.
    const target = { ...drawTarget(seed), epsilon: 0.4, densityFloor: 0.01 },
      { epsilon, delta, densityFloor } = target;
    const [first, second, ...lower] = guessesDownTo(densityFloor), count = 8 * n;
    const points = Float32Array.from({ length: count }, (_, j) => j % 5 ? 300 : 0);
    const { kernelEvaluations } = await on((backend) =>
      implementation.densityFit("uniform")(backend, points, 1, target).logDensity(new Float32Array(1))
    );
    const needed = [first, second].map((guess) =>
      implementation.uniformSampleSize(epsilon, delta / (2 + lower.length), guess)
    );
    return Math.min(needed[0] + needed[1], count) / kernelEvaluations;
  },
  async "kernel-product"({ implementation, seed, device, n }) {
    const target = { ...drawTarget(seed), epsilon: 0.4 },
      { epsilon, delta, densityFloor } = target,
      count = 8 * n;
    const [first, ...lower] = guessesDownTo(densityFloor);
    // Points at one place, each of which is asked with the first guess and its share of δ.
    const { kernelEvaluations } = await implementation.kernelProduct(
      tensor(new Float32Array(count), [count, 1]),
      new Float64Array(count).fill(1),
      { ...target, method: "uniform", device },
    );
    const needed = implementation.uniformSampleSize(epsilon, delta / count / (1 + lower.length), first);
    return Math.min(needed, count) * count / kernelEvaluations;
  },
  async "rounded-lift"({ implementation, seed, device, n }) {
    const target = { ...drawTarget(seed), epsilon: 0.4 }, count = 8 * n;
    // Squared distances of a lift round by 2⁻²⁴ (2 far)², here one to sixteen times what a 32nd of ε allows: it must not be used.
    const allowed = target.epsilon / 32 * 16 ** new RandomStream(seed, Purpose.search).uniform();
    const far = Math.sqrt(allowed * 2 ** 24) / 2 * 1.01;
    const points = tensor(Float32Array.from({ length: count }, (_, j) => j % 2 ? far : -far), [count, 1]);
    const queries = tensor(Float32Array.of(far, -far), [2, 1]), weights = new Float64Array(count).fill(1);
    const { kernelEvaluations } = await implementation.weightedExponentialKde(points, weights, queries, {
      ...{ ...target, method: "uniform", device },
    });
    return 2 * count / kernelEvaluations;
  },
  "algorithm-1": judgeAlgorithm,
};

/** Tropp's bound on the chance that so many samples leave an error above epsilon ‖X‖‖Y‖. */
function bernsteinChance(
  samples: number,
  { epsilon, dimensions, stableRank, looseness }: {
    readonly epsilon: number;
    readonly dimensions: number;
    readonly stableRank: number;
    readonly looseness: number;
  },
): number {
  const s = looseness * stableRank;
  return dimensions * Math.exp(-samples * epsilon ** 2 / (4 * s + 2 * (s + 1) * epsilon / 3));
}

/** What Algorithm 1 asks of its densities, and how many keys it would draw: each over what its proof needs, the largest of these. */
async function judgeAlgorithm({ implementation, input, seed, on, delta }: RunContext): Promise<number> {
  const oracle = new Oracle(await input({ queries: 24, features: 8, valueFeatures: 4 }));
  const { queries, keys, valueFeatures, value } = oracle.problem, asked: DensityTarget[] = [];
  const { epsilon } = drawTarget(seed);
  const fit: FitDensity = (backend, points, features, target, bandwidth) => {
    asked.push(target);
    return exactDensity(backend, points, features, target, bandwidth);
  };
  const { heads: [head] } = await on((backend) =>
    implementation.kdeformer(backend, oracle.problem, {
      epsilon,
      delta,
      densityFloor: 0.1,
      seed,
      fit,
      samples: 1,
    })
  );
  const [rows, columns] = asked, third = epsilon / 3;
  const stableRank = Math.max(
    squaredLength(oracle.softmax) / oracle.softmaxNorm ** 2,
    squaredLength(value) / oracle.valueNorm ** 2,
  );
  // Probabilities are at least those of the exact norms over this: a third of error in norms and their sum, and D~ twice in both.
  const looseness = 2 * ((1 + third) / (1 - third)) ** 2;
  const terms = {
    epsilon: epsilon * (2 - epsilon) / 3,
    dimensions: queries + valueFeatures,
    stableRank,
    looseness,
  };
  return Math.max(
    rows.epsilon / third,
    rows.delta / (delta / (3 * queries)),
    3 * columns.epsilon,
    columns.delta / (delta / (3 * keys)),
    bernsteinChance(head.bernsteinSamples, terms) / (delta / 3),
  );
}

/** Numbers of samples, as formulas: what no estimate of an error would notice, since bounds are wide. */
export const sampleSizes: Claim = {
  name: "sample-sizes",
  statement:
    "Samples are as many as the proofs ask for, and every part of a guarantee gets its share of ε and δ",
  formula:
    "P[failure left by m] <= δ; ε/3 and δ/(3 n_q) for row sums, 1/3 and δ/(3 n_k) for column norms, δ/3 for the product",
  source: "Chernoff 1952; Chebyshev; Tropp 2012; docs/theory.md §1 to §3",
  assumptions: "ε in [0.05, 0.95], δ in [1e-6, 0.5], floors in [0.005, 0.5], drawn anew for each run",
  measurement:
    "the chance of failure that the size leaves, computed independently, over the chance allowed; for guesses at a " +
    "density, and for the entries of a product, the size for their share of δ over the size taken; where f32 would round a lift too much, all points over those looked at; for Algorithm 1 the largest of the chance over that allowed and of " +
    "what it asks its densities for over what the proof needs",
  rule: { kind: "always", allowed: DELTA },
  bound: 1 + ROUNDING,
  cases: Object.keys(judged).map((name) =>
    ownCase(name === "algorithm-1" ? familySource(inputFamily("gaussian"), undefined, name) : noInput(name))
  ),
  anySource: false,
  n: 512,
  runs: 40,
  size: linearSize,
  async run(context) {
    return { measured: await judged[context.family](context) };
  },
};
