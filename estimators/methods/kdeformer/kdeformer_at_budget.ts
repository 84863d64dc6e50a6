import type { Backend } from "../../../kernels/backend.ts";
import { exactAttention } from "../../core/exact.ts";
import type { Progress } from "../../core/head_chunks.ts";
import type { Problem } from "../../core/problem.ts";
import { rowMean } from "../../kde/centred_points.ts";
import { guessesDownTo } from "../../kde/floor_search.ts";
import { densityFit } from "../../kde/methods.ts";
import { requireEveryKey } from "../run_heads.ts";
import { COLUMN_ERROR, kdeformer } from "./kdeformer.ts";
import { type Budget, type CostedAttention, type Method, perQuery } from "../method.ts";
import { uniformSampleSize } from "../../kde/uniform.ts";

/** What is asked of row sums and column norms; densities below the floor, as sharp rows have, are off by more. */
const TARGET = { epsilon: 0.5, delta: 0.1, densityFloor: 0.01, fit: densityFit("uniform") };

/**
 * Algorithm 1 with as many sampled keys as the budget has key evaluations, on centred values: rows of P sum to 1,
 * so the mean value can be left out and added again, and what D~ is wrong by then scales the spread of the values
 * alone. The densities come on top of the budget; `keyEvaluations` counts them. Where they and the samples would cost no less
 * than exact attention, the output is exact. Outputs are kept between the least and the largest value of their column, where
 * the exact ones are.
 *
 * @throws {RangeError} If the problem hides keys, or keys or queries are too large for their squares.
 */
export const kdeformerAtBudget: Method = {
  summary: "Algorithm 1: sampling by column norms from density estimates, whose cost comes on top",
  source: "Zandieh, Han, Daliri and Karbasi 2023, Algorithm 1",
  random: true,
  withinBudget: false,
  attend,
};

async function attend(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress = {},
): Promise<CostedAttention> {
  requireEveryKey("kdeformer", problem);
  const { heads, queries, keys, valueFeatures } = problem, samples = Math.min(keys, perQuery(budget));
  if (leastCost(problem, samples) >= queries * keys) {
    const exact = await exactAttention(backend, problem, progress);
    const note = "exact: the densities and samples of kdeformer would cost no less at this size";
    return { ...exact, keyEvaluations: heads * queries * keys, exact: true, note };
  }
  const columns = Array.from({ length: heads }, (_, head) => {
    const size = keys * valueFeatures;
    return describeColumns(problem.value.subarray(head * size, (head + 1) * size), valueFeatures);
  });
  const at = (index: number, rows: number) =>
    [columns[Math.floor(index / (rows * valueFeatures))], index % valueFeatures] as const;
  const value = problem.value.map((x, index) => {
    const [{ mean }, column] = at(index, keys);
    return x - mean[column];
  });
  const target = { ...TARGET, seed: budget.seed, samples, exactIfCheaper: true };
  const result = await kdeformer(backend, { ...problem, value }, target, progress);
  const output = result.output.map((x, index) => {
    const [{ mean, least, largest }, column] = at(index, queries);
    return Math.min(largest[column], Math.max(least[column], x + mean[column]));
  });
  const exactly = heads - result.heads.length;
  const { logSumExp, keyEvaluations } = result;
  if (exactly === 0) return { output, logSumExp, keyEvaluations };
  const where = exactly === heads ? "" : ` in ${exactly} of ${heads} heads`;
  const note = `exact${where}: the densities that kdeformer needs cost as much as exact attention`;
  return { output, logSumExp, keyEvaluations, exact: exactly === heads, note };
}

/** Key evaluations of one head if every density is found at the first guess. */
function leastCost({ queries, keys }: Problem, samples: number): number {
  const { epsilon, delta, densityFloor } = TARGET, guesses = guessesDownTo(densityFloor);
  const density = (error: number, count: number, points: number) =>
    count * Math.min(points, uniformSampleSize(error, delta / (3 * count * guesses.length), guesses[0]));
  return density(epsilon / 3, queries, keys) + density(COLUMN_ERROR, keys, queries) + samples * queries;
}

/** Mean, least and largest of each column. */
function describeColumns(rows: Float32Array, width: number) {
  const least = rows.slice(0, width), largest = rows.slice(0, width);
  for (let index = width; index < rows.length; index++) {
    const column = index % width;
    least[column] = Math.min(least[column], rows[index]);
    largest[column] = Math.max(largest[column], rows[index]);
  }
  return { mean: rowMean(rows, width), least, largest };
}
