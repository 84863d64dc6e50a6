import type { CentredProblem } from "../core/centred.ts";
import type { Backend } from "../../kernels/backend.ts";
import { exactAttention } from "../core/exact.ts";
import { fitsDevice, type Progress } from "../core/head_chunks.ts";
import { ofHead } from "../core/of_head.ts";
import type { Problem } from "../core/problem.ts";
import { countVisible } from "../core/visible_pairs.ts";
import { calibrate, canCalibrate, fitsSlope, linearises, planCoreset } from "./calibrated/calibrated.ts";
import { type Trial, TrialFailed } from "./calibrated/calibrated_heads.ts";
import { describeErrors, isUseless, sumsOfHeads, totalOf } from "./held_out.ts";
import { type Attend, type Budget, type CostedAttention, perQuery, scaleBudget } from "./method.ts";
import type { ApproximateName } from "./methods.ts";
import { coveredSizes, LEAF_BUDGETS } from "./rectangles.ts";
import { attendExactly } from "./run_heads.ts";
import { type ApproximateAttention, approximateAttention, attendVisible } from "./visible.ts";

/**
 * Fitting takes time that key evaluations do not show, and so does the linear function of the query, which takes as many
 * multiplications as d·d_v/(d + d_v) keys: with these parts of the budget, less a part of those, the calibrated coreset takes
 * at most about 1.3 times as long as the practical KDEformer with all of it, at a fraction of its error (`bench/RESULTS.md`).
 */
const PLAIN_SHARE = 0.88, LINEAR_SHARE = 0.66, LINEAR_COST = 0.34;

/** What "auto" does with a budget where an error is asked for, and how much of the budget that takes. */
export function bestMethod(
  problem: Problem,
  budget: Budget,
): { readonly name: ApproximateName; readonly budget: Budget } {
  const part = partOfBudget(problem, budget);
  if (canCalibrate(problem, part)) return { name: "calibrated", budget: part };
  const fits = canCalibrate(problem, budget) || linearises(problem, budget);
  return { name: fits ? "calibrated" : "kdeformer-practical", budget };
}

/** The part of a budget that takes about as long as key evaluations alone would. */
function partOfBudget(problem: Problem, budget: Budget): Budget {
  const { features, valueFeatures } = problem, keys = perQuery(budget);
  const linear = features * valueFeatures / (features + valueFeatures);
  const corrected = scaled(budget, LINEAR_SHARE - LINEAR_COST * linear / keys);
  return fitsSlope(problem, corrected) ? corrected : scaled(budget, PLAIN_SHARE);
}

function scaled(budget: Budget, share: number): Budget {
  return scaleBudget(budget, Math.max(0, share));
}

/**
 * Time in units of one key evaluation of exact attention, in which that of this many multiplications is hidden beside those of d
 * and d_v: its exponential and what moves data.
 */
const HIDDEN = 16;
/**
 * What preparing a head takes however small it is, in multiplications: some fifteen operations one behind the other, of which the
 * tree and the solving occupy one thread. And what a pair of an exact row and a key takes beside its products, in the same unit.
 */
const EACH_HEAD = 3e7, EACH_PAIR = 300;
/** A trial may take so much of the time of exact attention, since all of it is lost where it fails. */
const MOST_TRIAL = 0.12;
/** Where nothing is tried first, an approximation is to take no longer than this share of that time. */
const MOST_TIME = 0.9;

/** What "auto" does with a problem in which every query sees every key. */
export interface AutoPlan {
  /** What `calibrated` gets; undefined: exact attention. */
  readonly budget?: Budget;
  /** Rows that it computes exactly. */
  readonly probes?: number;
  /** What all takes, of the time of exact attention. */
  readonly total: number;
}

const EXACT: AutoPlan = { total: 1 };

/**
 * Decides between `calibrated` and exact attention by counts alone, so that every device decides alike.
 *
 * @param given Whether the budget is the caller's wish: it is then kept to, where exact attention would not be faster. Else
 * approximating has to be so much cheaper that it may be tried, and given up, at hardly any cost.
 */
export function planAuto(problem: Problem, budget: Budget, given: boolean): AutoPlan {
  const { heads, queries, keys, features, valueFeatures } = problem;
  // A budget of this size saves too little to be worth an error.
  if (perQuery(budget) >= keys / 2) return EXACT;
  const part = partOfBudget(problem, budget), own = planCoreset(problem, part) ? part : budget;
  const coreset = planCoreset(problem, own);
  if (!coreset || coreset.probes >= queries) return EXACT;
  const evaluation = features + valueFeatures + HIDDEN;
  const exactly = queries * keys * evaluation;
  const preparing = EACH_HEAD * (1 + 1 / heads) / 2 + coreset.probes * keys * (evaluation + EACH_PAIR);
  const trial = preparing / exactly, total = trial + coreset.keysPerQuery / keys;
  const pays = total <= MOST_TIME && (given || trial <= MOST_TRIAL);
  return pays ? { budget: own, probes: coreset.probes, total } : EXACT;
}

/** Of the time of exact attention, what a cover of causal order must promise to save: cutting and merging take some. */
const LEAST_SAVED = 0.3;

/**
 * `auto` without an error asked for: `calibrated` where that costs much less than exact attention, and does not look useless
 * on rows held out, exact attention elsewhere, head by head.
 *
 * @param given Whether the budget is the caller's wish: it is then kept to whatever the rows held out say.
 */
export async function attendAuto(
  backend: Backend,
  { problem, exact }: CentredProblem,
  budget: Budget,
  given: boolean,
  progress: Progress = {},
): Promise<ApproximateAttention> {
  // What does not pay for all pairs does not for those that a mask leaves, and this is told at once.
  const mayPay = planAuto(problem, budget, given).budget && promisedSaving(problem, budget, given) > 0;
  if (!mayPay) return await attendVisible(backend, exact, progress);
  // If under causal order the trial fails on the largest part, it would on the others: all is better attended at once.
  let attendsExactly = problem.causalOffset === undefined;
  const attend: Attend = async (backend, part, budget, progress = {}) => {
    const trial = given ? undefined : { isUseless, attendsExactly };
    const result = await attendEveryKey(backend, part, budget, given, progress, trial);
    attendsExactly ||= !result.exact;
    return result;
  };
  try {
    return await approximateAttention(attend, backend, problem, budget, progress);
  } catch (error) {
    if (!(error instanceof TrialFailed)) throw error;
    backend.reset();
    const result = await attendVisible(backend, exact, progress);
    const note = `exact: ${error.message}`;
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

async function attendEveryKey(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  given: boolean,
  progress: Progress,
  trial?: Trial,
): Promise<CostedAttention> {
  const { budget: own, probes = 0 } = planAuto(problem, budget, given);
  if (!own || !fitsDevice(backend, problem, probes)) return await attendExactly(backend, problem, progress);
  const result = await calibrate(backend, problem, own, progress, trial);
  return trial ? await repairHeads(backend, problem, result) : result;
}

/** Attends exactly to the heads whose rows held out say that the answer is of no use, and notes it. */
async function repairHeads(
  backend: Backend,
  problem: Problem,
  result: CostedAttention,
): Promise<CostedAttention> {
  const { heldOut, output, logSumExp } = result, { heads, queries, keys, valueFeatures } = problem;
  if (!heldOut) return result;
  const useless = sumsOfHeads(problem, heldOut, result).flatMap((sums, head) =>
    isUseless(sums) ? [head] : []
  );
  let { keyEvaluations } = result;
  const standFor = heldOut.standFor.slice();
  // Head by head: the useless are few, or all would have been attended exactly.
  for (const head of useless) {
    const exact = await exactAttention(backend, headOf(problem, head));
    output.set(exact.output, head * queries * valueFeatures);
    logSumExp.set(exact.logSumExp, head * queries);
    keyEvaluations += queries * keys;
    standFor[head] = 0;
  }
  const exactHeads = Array.from(standFor.keys()).filter((head) => standFor[head] === 0);
  if (exactHeads.length === 0) return result;
  const whole = { ...heldOut, standFor: standFor.map(() => queries) };
  const tried = sumsOfHeads(problem, whole, result);
  const where = exactHeads.length === heads ? "" : ` in ${exactHeads.length} of ${heads} heads`;
  const found = describeErrors(totalOf(exactHeads.map((head) => tried[head])));
  const note = `exact${where}: calibrated would be of little use, with ${found}`;
  return {
    ...result,
    keyEvaluations,
    heldOut: { ...heldOut, standFor },
    exact: exactHeads.length === heads,
    note,
  };
}

/** One head by itself. */
function headOf(problem: Problem, head: number): Problem {
  const own = (data: Float32Array) => ofHead(data, head, problem.heads);
  return {
    ...problem,
    heads: 1,
    query: own(problem.query),
    key: own(problem.key),
    value: own(problem.value),
  };
}
