import type { Problem } from "../../core/problem.ts";
import type { HeldOutRows } from "../held_out.ts";
import type { CostedAttention } from "../method.ts";

/** Heads that have been answered together, in this order. */
export interface AnsweredHeads {
  readonly heads: readonly number[];
  readonly result: CostedAttention;
}

/** One result of the answers of all heads; those of later parts take the place of those of earlier ones. */
export function joinAnswers(problem: Problem, parts: readonly AnsweredHeads[]): CostedAttention {
  if (parts.length === 1) return parts[0].result;
  const { heads, queries, valueFeatures } = problem, width = queries * valueFeatures;
  const output = new Float32Array(heads * width), logSumExp = new Float32Array(heads * queries);
  const heldOut: HeldOutRows[] = [];
  for (const { heads: which, result } of parts) {
    which.forEach((head, at) => {
      output.set(result.output.subarray(at * width, (at + 1) * width), head * width);
      logSumExp.set(result.logSumExp.subarray(at * queries, (at + 1) * queries), head * queries);
      heldOut[head] = result.heldOut![at];
    });
  }
  const keyEvaluations = parts.reduce((sum, { result }) => sum + result.keyEvaluations, 0);
  return { output, logSumExp, keyEvaluations, heldOut };
}
