import type { Problem } from "../../core/problem.ts";
import { canCalibrate, fitsSlope, linearises, planCoreset, slopeCost } from "../calibrated/calibrated.ts";
import { type Budget, perQuery, scaleBudget } from "../method.ts";
import type { ApproximateName } from "../methods.ts";
import { planTree, type TreePlan } from "../tilted_tree/tree_plan.ts";
import { canShareTree } from "../tilted_tree/tilted_tree.ts";

/**
 * Fitting takes time that key evaluations do not show, and so does the linear function of the query, which takes as many
 * multiplications as d·d_v/(d + d_v) keys: with these parts of a default budget, less a part of those, the calibrated coreset takes
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
  const corrected = scaled(budget, LINEAR_SHARE - LINEAR_COST * slopeCost(problem) / perQuery(budget));
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
  const part = given ? budget : partOfBudget(problem, budget),
    own = planCoreset(problem, part) ? part : budget;
  const coreset = planCoreset(problem, own);
  if (!coreset || coreset.probes >= queries) return EXACT;
  const evaluation = features + valueFeatures + HIDDEN;
  const exactly = queries * keys * evaluation;
  const preparing = EACH_HEAD * (1 + 1 / heads) / 2 + coreset.probes * keys * (evaluation + EACH_PAIR);
  const trial = preparing / exactly, total = trial + coreset.keysPerQuery / keys;
  const pays = total <= MOST_TIME && (given || trial <= MOST_TRIAL);
  return pays ? { budget: own, probes: coreset.probes, total } : EXACT;
}

/** How much longer preparing a tree takes than its evaluations say, and attending to its lists. */
const TREE_PREPARATION = 3, TREE_LISTS = 1.3;

/** With shorter lists a tree errs more than what it is to replace, of which all that is known is that it is rough. */
const LEAST_ENTRIES = 64;

/** A tree beside the calibrated coreset, and what it takes of the time of exact attention, about. */
export interface OtherPlan {
  readonly plan: TreePlan;
  readonly total: number;
}

/**
 * The tree that a budget pays for where the coreset looks rough.
 *
 * @param spent Evaluations that have been spent on a head.
 * @param rows Rows that are computed exactly to tell the error.
 * @param least Entries that a list must have.
 */
export function planOther(
  problem: Problem,
  budget: Budget,
  spent: number,
  rows: number,
  least = LEAST_ENTRIES,
): OtherPlan | undefined {
  const { queries, keys } = problem, plan = planTree(problem, perQuery(budget) - spent / queries, rows);
  if (!canShareTree(problem, plan) || plan.entries < least) return undefined;
  const preparation = TREE_PREPARATION * plan.preparation / queries;
  return { plan, total: (preparation + TREE_LISTS * plan.entries) / keys };
}
