import type { Backend } from "../../../../kernels/backend.ts";
import type { Progress } from "../../../core/head_chunks.ts";
import type { Problem } from "../../../core/problem.ts";
import { type Budget, type CostedAttention, type Method, perQuery } from "../../method.ts";
import { eachHead } from "../shared/each_head.ts";
import { attendVerified, type VAttentionOptions } from "./attend_verified.ts";

/**
 * "vAttention: verified sparse attention" (arXiv 2510.05688): each query sees the first keys and the heaviest ones, and draws as many of the
 * others as an estimate of their spread says that its denominator needs. Heaviest keys are those that all logits tell, as in the paper's evaluation, and not those
 * of a method that predicts them: it looks at all keys. Its statement fails where the first draws miss what is heavy, which they cannot
 * know.
 */
export const vAttention: Method = {
  summary:
    "first keys, heaviest keys, and as many draws of the others as their spread asks for; looks at all keys",
  source: "vAttention: verified sparse attention, arXiv 2510.05688, with the heaviest keys known",
  promise:
    "the denominator to a factor of 1 ± ε with a chance of 1 − δ, if the first draws tell how the weights of the others spread",
  random: true,
  withinBudget: false,
  onHost: "choice, draws, and the softmax over them",
  attend,
};

/** First keys, and the chance of an error beyond ε. */
const SINKS = 4, DELTA = 0.1;

async function attend(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress = {},
): Promise<CostedAttention> {
  const keysPerQuery = perQuery(budget), sixth = Math.round(keysPerQuery / 6);
  const options: VAttentionOptions = {
    ...{
      sinks: Math.min(SINKS, sixth),
      top: Math.round(keysPerQuery / 3),
      base: sixth,
      delta: DELTA,
      keysPerQuery,
    },
  };
  return await eachHead(
    "vattention",
    backend,
    problem,
    budget,
    progress,
    (head) => attendVerified(backend, head, problem, options, budget.seed, progress.signal),
  );
}
