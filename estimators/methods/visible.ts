import type { Backend } from "../../kernels/backend.ts";
import { exactAttention, PartCollector } from "../core/exact.ts";
import type { Progress } from "../core/head_chunks.ts";
import { visibleHeads } from "../core/hidden_keys.ts";
import type { Problem } from "../core/problem.ts";
import { countVisible } from "../core/visible_pairs.ts";
import { type ErrorSums, sumsOfHeads } from "./held_out.ts";
import { heldOutOf, type HeldOutPart, mergedErrors } from "./merged_errors.ts";
import { type Attend, type Budget, type CostedAttention, type Method, perQuery } from "./method.ts";
import { RectangleMerger } from "./rectangle_merger.ts";
import { attendExactly } from "./run_heads.ts";
import { coveredSizes, coverVisible, groupRectangles, LEAF_BUDGETS, stackRectangles } from "./rectangles.ts";

/** A result, and what rows held out tell of each head; undefined where some part knows nothing of its error. */
export interface ApproximateAttention extends CostedAttention {
  readonly errors?: readonly ErrorSums[];
}

/**
 * Runs a method of the registry on any problem, in causal order by itself where it takes that.
 *
 * @throws {RangeError} If the method refuses the problem; it says why.
 */
export async function runMethod(
  method: Pick<Method, "attend" | "takesCausal" | "refusal">,
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress = {},
): Promise<ApproximateAttention> {
  const refused = method.refusal?.(problem, budget);
  if (refused !== undefined) throw new RangeError(`Cannot attend: ${refused}`);
  if (problem.causalOffset === undefined || !method.takesCausal?.(problem, budget)) {
    return await approximateAttention(method.attend, backend, problem, budget, progress);
  }
  return withErrors(problem, await method.attend(backend, problem, budget, progress));
}

/** A result for a whole problem with what its held-out rows tell. */
function withErrors(problem: Problem, result: CostedAttention): ApproximateAttention {
  return { ...result, errors: result.heldOut && sumsOfHeads(problem, result.heldOut, result) };
}

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
): Promise<ApproximateAttention> {
  const { causalOffset, logWeights } = problem;
  if (causalOffset === undefined && logWeights === undefined) {
    return withErrors(problem, await attend(backend, problem, budget, progress));
  }
  if (causalOffset === undefined) return await approximateMasked(attend, backend, problem, budget, progress);
  const keysPerQuery = perQuery(budget);
  const groups = groupRectangles(problem, coverVisible(problem, LEAF_BUDGETS * keysPerQuery));
  const merger = new RectangleMerger(problem), heldOut: HeldOutPart[] = [], notes = new Set<string>();
  let keyEvaluations = 0, approximated = false, knows = true;
  for (const [at, members] of groups.entries()) {
    progress.onProgress?.(at, groups.length);
    const group = stackRectangles(problem, members), { problem: part } = group;
    const quiet = { signal: progress.signal };
    if (part.causalOffset !== undefined || part.keys <= keysPerQuery) {
      merger.add(group, await exactAttention(backend, part, quiet));
      keyEvaluations += countVisible(part);
      continue;
    }
    const result = await attend(backend, part, budget, quiet);
    keyEvaluations += result.keyEvaluations;
    if (result.note) notes.add(result.note);
    merger.add(group, result);
    if (result.exact) continue;
    approximated = true;
    if (result.heldOut) heldOut.push(...heldOutOf(group, result, result.heldOut));
    else knows = false;
  }
  progress.onProgress?.(groups.length, groups.length);
  const merged = merger.result();
  return {
    ...merged,
    keyEvaluations,
    errors: knows ? mergedErrors(problem, merged, heldOut) : undefined,
    exact: !approximated,
    note: notes.size > 0 ? [...notes].join("; ") : undefined,
  };
}

/** Where a mask alone hides keys: heads with as many visible keys run together, and nothing needs merging. */
async function approximateMasked(
  attend: Attend,
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress,
): Promise<ApproximateAttention> {
  const parts = new PartCollector(), notes = new Set<string>(), quiet = { signal: progress.signal };
  let keyEvaluations = 0, exact = true, errors: ErrorSums[] | undefined = [];
  for (const { first, part } of visibleHeads(problem)) {
    progress.onProgress?.(first, problem.heads);
    const result = part.keys <= perQuery(budget)
      ? await attendExactly(backend, part, quiet)
      : await attend(backend, part, budget, quiet);
    parts.add([result.output, result.logSumExp]);
    keyEvaluations += result.keyEvaluations;
    exact &&= result.exact === true;
    if (result.note) notes.add(result.note);
    if (result.heldOut) errors?.push(...sumsOfHeads(part, result.heldOut, result));
    else if (!result.exact) errors = undefined;
  }
  progress.onProgress?.(problem.heads, problem.heads);
  const note = notes.size > 0 ? [...notes].join("; ") : undefined;
  return { ...parts.result(), keyEvaluations, errors, exact, note };
}

/** How exact attention cuts causal order: triangles of so many queries keep the keys that a mask hides. */
const CUT: Budget = { bucketSize: 128, samples: 128, seed: 0 };
/** What copying and merging a row of a rectangle takes, in key evaluations, about. */
const EACH_ROW = 100;
/** Cutting must take no more than this share of the evaluations that it saves from. */
const WORTHWHILE = 0.7;

/** Exact attention: under causal order by rectangles, where a mask hides so much that this takes less. */
export async function attendVisible(
  backend: Backend,
  problem: Problem,
  progress: Progress = {},
): Promise<ApproximateAttention> {
  const { causalOffset, logWeights } = problem;
  const exactly: Attend = async (backend, part, _, progress = {}) =>
    await attendExactly(backend, part, progress);
  if (causalOffset === undefined || !logWeights) return await exactly(backend, problem, CUT, progress);
  const whole = countVisible({ ...problem, logWeights: undefined });
  const cut = coveredSizes(problem, LEAF_BUDGETS * perQuery(CUT)).reduce(
    (sum, { heads, queries, keys, triangular }) =>
      sum + heads * queries * (EACH_ROW + (triangular ? (keys + 1) / 2 : keys)),
    0,
  );
  if (cut > WORTHWHILE * whole) return await exactly(backend, problem, CUT, progress);
  const result = await approximateAttention(exactly, backend, problem, CUT, progress);
  return { ...result, keyEvaluations: countVisible(problem) };
}
