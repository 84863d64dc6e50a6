import type { Backend } from "../../kernels/backend.ts";
import { exactAttention, type HostAttention } from "../core/exact.ts";
import type { Progress } from "../core/head_chunks.ts";
import type { Problem } from "../core/problem.ts";
import { RectangleMerger } from "./rectangle_merger.ts";
import { coverVisible, groupRectangles } from "./rectangles.ts";

/** The budget of an approximate method, and how it may be spent. */
export interface Budget {
  /** Keys per block of the methods that have blocks. */
  readonly bucketSize: number;
  /** Further keys per query. bucketSize + samples is the budget of key evaluations per query. */
  readonly samples: number;
  /** Hyperplanes of the hash; about one bucket per block when left out. */
  readonly projections?: number;
  /** Decides every random choice. */
  readonly seed: number;
}

/** An attention result and what it cost. */
export interface CostedAttention extends HostAttention {
  /** Inner products of a query and a key, over all heads. */
  readonly keyEvaluations: number;
  /** Whether a method that approximates found exact attention to cost no more. */
  readonly exact?: boolean;
  /** What to tell about that. */
  readonly note?: string;
}

/** An approximate method for problems in which every query sees every key. */
export type Method = (
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress,
) => Promise<CostedAttention>;

/** Shortest run of queries that causal halving cuts further, in units of the budget. */
const LEAF_BUDGETS = 2;

/**
 * Runs an approximate method on any problem. Causal order and masked keys are covered by rectangles in which every
 * query sees every key; those that are small or triangular are attended exactly.
 */
export async function approximateAttention(
  method: Method,
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress = {},
): Promise<CostedAttention> {
  const { causalOffset, logWeights } = problem;
  if (causalOffset === undefined && logWeights === undefined) {
    return await method(backend, problem, budget, progress);
  }
  const perQuery = budget.bucketSize + budget.samples;
  const groups = groupRectangles(problem, coverVisible(problem, LEAF_BUDGETS * perQuery));
  const merger = new RectangleMerger(problem);
  let keyEvaluations = 0, note: string | undefined, approximated = false;
  for (const [at, group] of groups.entries()) {
    progress.onProgress?.(at, groups.length);
    const { problem: part } = group;
    const quiet = { signal: progress.signal };
    if (part.causalOffset !== undefined || part.keys <= perQuery) {
      merger.add(group, await exactAttention(backend, part, quiet));
      keyEvaluations += countVisible(part);
    } else {
      const result = await method(backend, part, budget, quiet);
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
