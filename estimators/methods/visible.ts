import type { Backend } from "../../kernels/backend.ts";
import { exactAttention } from "../core/exact.ts";
import type { Progress } from "../core/head_chunks.ts";
import type { Problem } from "../core/problem.ts";
import { type Attend, type Budget, type CostedAttention, perQuery } from "./method.ts";
import { RectangleMerger } from "./rectangle_merger.ts";
import { coverVisible, groupRectangles } from "./rectangles.ts";

/** Shortest run of queries that causal halving cuts further, in units of the budget. */
const LEAF_BUDGETS = 2;

/**
 * Runs an approximate method on any problem. Causal order and masked keys are covered by rectangles in which every
 * query sees every key; those that are small or triangular are attended exactly.
 */
export async function approximateAttention(
  attend: Attend,
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress = {},
): Promise<CostedAttention> {
  const { causalOffset, logWeights } = problem;
  if (causalOffset === undefined && logWeights === undefined) {
    return await attend(backend, problem, budget, progress);
  }
  const keysPerQuery = perQuery(budget);
  const groups = groupRectangles(problem, coverVisible(problem, LEAF_BUDGETS * keysPerQuery));
  const merger = new RectangleMerger(problem);
  let keyEvaluations = 0, note: string | undefined, approximated = false;
  for (const [at, group] of groups.entries()) {
    progress.onProgress?.(at, groups.length);
    const { problem: part } = group;
    const quiet = { signal: progress.signal };
    if (part.causalOffset !== undefined || part.keys <= keysPerQuery) {
      merger.add(group, await exactAttention(backend, part, quiet));
      keyEvaluations += countVisible(part);
    } else {
      const result = await attend(backend, part, budget, quiet);
      merger.add(group, result);
      note ??= result.note;
      approximated ||= !result.exact;
      keyEvaluations += result.keyEvaluations;
    }
  }
  progress.onProgress?.(groups.length, groups.length);
  return { ...merger.result(), keyEvaluations, note, exact: note !== undefined && !approximated };
}

/** Pairs of a query and a key that exact attention evaluates: those that the causal order leaves. */
export function countVisible({ heads, queries, keys, period, causalOffset }: Problem): number {
  if (causalOffset === undefined) return heads * queries * keys;
  return heads * (queries / period) * (period * (causalOffset + 1) + (period * (period - 1)) / 2);
}
