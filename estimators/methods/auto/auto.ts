import type { Backend } from "../../../kernels/backend.ts";
import type { CentredProblem } from "../../core/centred.ts";
import type { Progress } from "../../core/head_chunks.ts";
import type { Problem } from "../../core/problem.ts";
import { countVisible } from "../../core/visible_pairs.ts";
import { type Attend, type Budget, perQuery } from "../method.ts";
import type { ApproximateName } from "../methods.ts";
import { coveredSizes, LEAF_BUDGETS } from "../rectangles.ts";
import { TrialFailed } from "../trial.ts";
import { type ApproximateAttention, approximateAttention, attendVisible } from "../visible.ts";
import { planAuto } from "./auto_plan.ts";
import { attendEveryKey } from "./every_key.ts";
import { ofLittleUse } from "./improve_heads.ts";
import { attendInOrder, budgetInOrder } from "./in_order.ts";
import { attendWithinBudget } from "./within_budget.ts";

/** Of the time of exact attention, what a cover of causal order must promise to save: cutting and merging take some. */
const LEAST_SAVED = 0.3;

/** An answer, and the method that gave most of it. */
export interface AutoAttention extends ApproximateAttention {
  readonly name: ApproximateName;
}

/**
 * `auto` without an error asked for, head by head: `calibrated` where that costs much less than exact attention; `tilted-tree` where rows
 * held out say that it is rough, and that the tree errs less; exact attention where both look useless. Where a budget is given there is no trying: the tree
 * takes heads whose queries look to keys of their own.
 *
 * @param given Whether the budget is the caller's wish: it is then kept to whatever the rows held out say.
 */
export async function attendAuto(
  backend: Backend,
  { problem, exact }: CentredProblem,
  budget: Budget,
  given: boolean,
  progress: Progress = {},
): Promise<AutoAttention> {
  const exactly = async () => ({
    ...await attendVisible(backend, exact, progress),
    name: "calibrated" as const,
  });
  const ofTree = budgetInOrder(backend, problem, budget, given);
  if (ofTree) {
    return {
      ...await attendInOrder(backend, { problem, exact }, ofTree, given, progress),
      name: "tilted-tree",
    };
  }
  // What does not pay for all pairs does not for those that a mask leaves, and this is told at once.
  const mayPay = planAuto(problem, budget, given).budget && promisedSaving(problem, budget, given) > 0;
  if (!mayPay) return await exactly();
  // If under causal order the trial fails on the largest part, it would on the others: all is better attended at once.
  // What lies on the device for a trial lacks the centring of queries.
  let attendsExactly = problem.causalOffset === undefined && exact === problem;
  const pairs = new Map<ApproximateName, number>();
  const attend: Attend = async (backend, part, budget, progress = {}) => {
    const exactly = part === problem ? exact : part;
    const { name, result } = given
      ? await attendWithinBudget(backend, part, exactly, budget, progress)
      : await attendEveryKey(backend, part, budget, { attendsExactly, exactly }, progress);
    attendsExactly ||= !result.exact;
    if (!result.exact) pairs.set(name, (pairs.get(name) ?? 0) + part.heads * part.queries * part.keys);
    return result;
  };
  try {
    const result = await approximateAttention(attend, backend, problem, budget, progress);
    const [name] = [...pairs].reduce((a, b) => b[1] > a[1] ? b : a, ["calibrated", 0]);
    return { ...result, name };
  } catch (error) {
    if (!(error instanceof TrialFailed)) throw error;
    backend.reset();
    const result = await exactly();
    const note = `exact: ${ofLittleUse(error.heads)}`;
    return { ...result, keyEvaluations: error.keyEvaluations + result.keyEvaluations, note };
  }
}

/** Pairs that a cover of the visible ones promises to save, less what it must. */
function promisedSaving(problem: Problem, budget: Budget, given: boolean): number {
  const pairs = countVisible(problem), sizes = coveredSizes(problem, LEAF_BUDGETS * perQuery(budget));
  const saved = sizes.reduce((sum, { heads, queries, keys, triangular }) => {
    if (triangular) return sum;
    const part = { ...problem, heads, queries, keys, causalOffset: undefined, logWeights: undefined };
    return sum + heads * queries * keys * (1 - planAuto(part, budget, given).total);
  }, 0);
  return saved - (problem.causalOffset === undefined ? 0 : LEAST_SAVED * pairs);
}
