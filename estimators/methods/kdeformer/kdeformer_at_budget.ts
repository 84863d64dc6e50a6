import type { Backend } from "../../../kernels/backend.ts";
import { rowMean } from "../../kde/centred_points.ts";
import { densityFit } from "../../kde/methods.ts";
import type { Progress } from "../../core/head_chunks.ts";
import { type Budget, type CostedAttention, type Method, perQuery } from "../method.ts";
import { kdeformer } from "./kdeformer.ts";
import type { Problem } from "../../core/problem.ts";

/** What is asked of row sums and column norms; densities below the floor, as sharp rows have, are off by more. */
const TARGET = { epsilon: 0.5, delta: 0.1, densityFloor: 0.01, fit: densityFit("uniform") };

/**
 * Algorithm 1 with as many sampled keys as the budget has key evaluations, on centred values: rows of P sum to 1,
 * so the mean value can be left out and added again, and what D~ is wrong by then scales the spread of the values
 * alone. The densities come on top of the budget; `keyEvaluations` counts them.
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
  const { heads, queries, keys, valueFeatures } = problem;
  const means = Array.from(
    { length: heads },
    (_, head) =>
      rowMean(
        problem.value.subarray(head * keys * valueFeatures, (head + 1) * keys * valueFeatures),
        valueFeatures,
      ),
  );
  const meanAt = (at: number, rows: number) =>
    means[Math.floor(at / (rows * valueFeatures))][at % valueFeatures];
  const value = problem.value.map((x, at) => x - meanAt(at, keys));
  const target = { ...TARGET, seed: budget.seed, samples: Math.min(keys, perQuery(budget)) };
  const result = await kdeformer(backend, { ...problem, value }, target, progress);
  return { ...result, output: result.output.map((x, at) => x + meanAt(at, queries)) };
}
