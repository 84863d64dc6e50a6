import type { Backend } from "../../../../kernels/backend.ts";
import type { Progress } from "../../../core/head_chunks.ts";
import type { Problem } from "../../../core/problem.ts";
import { type Budget, type CostedAttention, type Method, perQuery } from "../../method.ts";
import { eachHead } from "../shared/each_head.ts";
import { attendSampled } from "./attend_sampled.ts";

/**
 * The oracle of sampling: each query draws as many keys as the budget says, with the exact weights of all keys known, and in the best known
 * way. What SoftmaxLift (2026) finds by a search for nearest neighbours, keys lifted by −ln u, found here by looking at all of them: where it errs,
 * no way to sample keys that are drawn for each query by itself does much better.
 */
export const oracleSampling: Method = {
  summary: "an oracle: a priority sample of each query's keys, drawn with all weights known",
  source: "SoftmaxLift, 2026; priority sampling, Duffield, Lund and Thorup 2007",
  promise: "numerator and denominator are unbiased",
  random: true,
  withinBudget: false,
  onHost: "the draws and the softmax over them",
  attend,
};

async function attend(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress = {},
): Promise<CostedAttention> {
  const options = { most: perQuery(budget), exactDenominator: false };
  return await eachHead(
    "oracle-sampling",
    backend,
    problem,
    budget,
    progress,
    (head) => attendSampled(backend, head, problem, options, budget.seed, progress.signal),
  );
}
