import type { Backend } from "../../../kernels/backend.ts";
import type { CentredProblem } from "../../core/centred.ts";
import { fitsDevice, type Progress } from "../../core/head_chunks.ts";
import type { Problem } from "../../core/problem.ts";
import { countVisible } from "../../core/visible_pairs.ts";
import { calibrate } from "../calibrated/calibrated.ts";
import { type ErrorSums, isRough, isUseless, sumsOfHeads } from "../held_out.ts";
import { type Attend, type Budget, perQuery, scaleBudget } from "../method.ts";
import type { ApproximateName } from "../methods.ts";
import { coveredSizes, coverVisible, groupRectangles, LEAF_BUDGETS, stackRectangles } from "../rectangles.ts";
import { attendExactly } from "../run_heads.ts";
import { planCausalTree } from "../tilted_tree/causal_plan.ts";
import { attendByTree, numbersInOrder, numbersOfTree, tiltedTree } from "../tilted_tree/tilted_tree.ts";
import { type Trial, TrialFailed } from "../trial.ts";
import { type ApproximateAttention, approximateAttention, attendVisible, runMethod } from "../visible.ts";
import { planAuto, planOther } from "./auto_plan.ts";
import { type Answer, improveHeads, ofLittleUse } from "./improve_heads.ts";

/** Of the time of exact attention, what a cover of causal order must promise to save: cutting and merging take some. */
const LEAST_SAVED = 0.3;
/** Where no budget is given, a tree in causal order gets the first of these multiples that does: rectangles would take far more on long sequences. */
const CAUSAL_FACTORS = [1, 1.5, 2, 3];
/** Rows that tell whether a coreset is rough: fewer would send many good ones to a tree. */
const TRIED_ROWS = 12, TRIED_SHARE = 0.1;
/**
 * A tree may take this share of the time of exact attention where the coreset is rough; where it is useless the tree is likely to be so
 * too, and may take no more than what a trial may.
 */
const MOST_TREE = 0.5, MOST_LAST_RESORT = 0.04;

/** An answer, and the method that gave most of it. */
export interface AutoAttention extends ApproximateAttention {
  readonly name: ApproximateName;
}

/**
 * `auto` without an error asked for, head by head: `calibrated` where that costs much less than exact attention; `tilted-tree` where rows
 * held out say that it is rough, and that the tree errs less; exact attention where both look useless.
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
  // What does not pay for all pairs does not for those that a mask leaves, and this is told at once.
  const mayPay = planAuto(problem, budget, given).budget && promisedSaving(problem, budget, given) > 0;
  const ofTree = (given ? [1] : CAUSAL_FACTORS).map((factor) => scaleBudget(budget, factor))
    .find((own) => paysInOrder(backend, problem, own, given));
  if (ofTree) return await attendCausally(backend, problem, ofTree, given, exactly, progress);
  if (!mayPay) return await exactly();
  // If under causal order the trial fails on the largest part, it would on the others: all is better attended at once.
  let attendsExactly = problem.causalOffset === undefined;
  const pairs = new Map<ApproximateName, number>();
  const attend: Attend = async (backend, part, budget, progress = {}) => {
    const { name, result } = await attendEveryKey(backend, part, budget, { given, attendsExactly }, progress);
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

/**
 * `auto` in causal order: one tree serves all queries of a head. A coreset of the largest rectangle that sees every key tells first whether
 * there is anything to find, at hardly any cost.
 */
async function attendCausally(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  given: boolean,
  exactly: () => Promise<AutoAttention>,
  progress: Progress,
): Promise<AutoAttention> {
  const tried = given ? undefined : await tryRectangle(backend, problem, budget, progress);
  if (!given && (!tried || mostly(tried.heads, isUseless))) {
    const result = await exactly(), note = tried && `exact: ${ofLittleUse(tried.heads)}`;
    return { ...result, keyEvaluations: (tried?.keyEvaluations ?? 0) + result.keyEvaluations, note };
  }
  const name = "tilted-tree", tree = await runMethod(tiltedTree, backend, problem, budget, progress);
  if (given) return { ...tree, name };
  const whole = { ...tree, keyEvaluations: tried!.keyEvaluations + tree.keyEvaluations };
  const { result } = await improveHeads(backend, problem, { name, result: whole });
  return { ...result, errors: result.heldOut && sumsOfHeads(problem, result.heldOut, result), name };
}

/** Whether one tree a head pays in causal order: where it fits the device, and a coreset of the largest rectangle would pay as well. */
function paysInOrder(backend: Backend, problem: Problem, budget: Budget, given: boolean): boolean {
  if (problem.causalOffset === undefined || !tiltedTree.takesCausal!(problem, budget)) return false;
  const plan = planCausalTree(problem, perQuery(budget));
  if (!plan || !fitsDevice(backend, problem, numbersInOrder(problem, plan))) return false;
  const [largest] = coveredSizes(problem, LEAF_BUDGETS * perQuery(budget)).filter(({ triangular }) =>
    !triangular
  )
    .sort((a, b) => b.queries * b.keys - a.queries * a.keys);
  if (!largest) return false;
  const part = { ...problem, ...largest, causalOffset: undefined, logWeights: undefined };
  return planAuto(part, budget, given).budget !== undefined;
}

/** What rows held out tell of a coreset of the largest rectangle; undefined where none would pay. */
async function tryRectangle(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress,
): Promise<TrialFailed | undefined> {
  const [largest] = groupRectangles(problem, coverVisible(problem, LEAF_BUDGETS * perQuery(budget)));
  const { problem: part } = stackRectangles(problem, largest),
    { budget: own, probes = 0 } = planAuto(part, budget, false);
  if (part.causalOffset !== undefined || !own || !fitsDevice(backend, part, probes + TRIED_ROWS)) {
    return undefined;
  }
  try {
    await calibrate(backend, part, own, progress, { rows: TRIED_ROWS, judge: () => "stop" });
  } catch (error) {
    backend.reset();
    if (error instanceof TrialFailed) return error;
    throw error;
  }
  return undefined;
}

/** Whether most heads fail. */
function mostly(heads: readonly ErrorSums[], fails: (sums: ErrorSums) => boolean): boolean {
  return heads.filter(fails).length > heads.length / 2;
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

/** What a trial may decide. */
interface Leave {
  /** Whether the budget is the caller's wish: nothing may then be spent beside it, nor attended exactly. */
  readonly given: boolean;
  /** Whether all queries attend exactly where a trial looks useless, or the whole is given up. */
  readonly attendsExactly: boolean;
}

async function attendEveryKey(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  { given, attendsExactly }: Leave,
  progress: Progress,
): Promise<Answer> {
  const { budget: own, probes = 0 } = planAuto(problem, budget, given);
  if (!own || !fitsDevice(backend, problem, probes)) {
    return { name: "calibrated", result: await attendExactly(backend, problem, progress) };
  }
  // A part of what preparing the coreset leaves of a budget.
  const rows = Math.min(
    TRIED_ROWS,
    Math.floor(TRIED_SHARE * perQuery(budget) * problem.queries / problem.keys),
  );
  // Where a budget was given, what has been spent is no longer there.
  const planTree = (part: Problem, heads: readonly ErrorSums[], spent = 0) => {
    const other = planOther(part, budget, given ? spent / problem.heads : 0, TRIED_ROWS);
    const most = mostly(heads, isUseless) ? MOST_LAST_RESORT : MOST_TREE;
    const fits = other && fitsDevice(backend, part, numbersOfTree(other.plan));
    return fits && other.total <= most ? other.plan : undefined;
  };
  const trial: Trial = {
    rows,
    judge: (heads, spent) => {
      if (mostly(heads, isRough) && planTree(problem, heads, spent)) return "stop";
      if (given || !mostly(heads, isUseless)) return "keep";
      return attendsExactly ? "exact" : "stop";
    },
  };
  const coreset = async (part: Problem) => await calibrate(backend, part, own, progress);
  try {
    const result = await calibrate(backend, problem, own, progress, trial);
    return given
      ? { name: "calibrated", result }
      : await improveHeads(backend, problem, { name: "calibrated", result }, {
        name: "tilted-tree",
        attend: async (part, sums) => {
          const plan = planTree(part, [sums]);
          return plan && await attendByTree(backend, part, plan, budget, progress);
        },
      });
  } catch (error) {
    if (!(error instanceof TrialFailed)) throw error;
    const { heads, keyEvaluations: spent } = error, plan = planTree(problem, heads, spent);
    if (!plan) throw error;
    backend.reset();
    const tree = await attendByTree(backend, problem, plan, budget, progress);
    const result = { ...tree, keyEvaluations: spent + tree.keyEvaluations };
    if (given) return { name: "tilted-tree", result };
    return await improveHeads(backend, problem, { name: "tilted-tree", result }, {
      name: "calibrated",
      // The trial may have stopped before it came to a head.
      attend: async (part, { error }, head) => heads[head]?.error < error ? await coreset(part) : undefined,
    });
  }
}
