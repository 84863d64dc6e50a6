import type { Backend } from "../../../kernels/backend.ts";
import { calibrateHeads } from "./calibrated_heads.ts";
import type { Progress } from "../../core/head_chunks.ts";
import { bringInRange } from "../../core/in_range.ts";
import { kdeformerPractical } from "../kdeformer_practical/kdeformer_practical.ts";
import { type Budget, type CostedAttention, type Method, perQuery } from "../method.ts";
import { attendExactly, requireEveryKey, type RunHeads, runHeads } from "../run_heads.ts";
import { lineariseHeads } from "./linearised_heads.ts";
import type { ProbeCounts } from "../shared/probe_queries.ts";
import type { Problem } from "../../core/problem.ts";
import type { Trial } from "../trial.ts";

/** Of the budget, the parts spent on rows that are computed exactly; clusters take the rest. */
const UNIFORM_SHARE = 0.17, OUTLYING_SHARE = 0.08, HELD_OUT_SHARE = 0.05;
/** More rows would cost more in solving than they gain. */
const MOST_UNIFORM = 128, MOST_OUTLYING = 48, MOST_HELD_OUT = 32;
/** With fewer rows there is nothing to fit to, or to test by. */
const LEAST_UNIFORM = 4, LEAST_HELD_OUT = 6;
/** Where budgets are smaller, one point and a linear function, fitted to at least so many rows, do for all keys. */
const MOST_LINEARISED = 64, LEAST_LINEARISED_ROWS = 4;
/** With fewer points, in parts of what a linear function costs, its time buys more as points. */
const POINTS_PER_SLOPE = 1 / 4;

/**
 * Attention to a calibrated coreset: the keys of a head are replaced by a few weighted points, fitted to exact
 * softmax rows of some of its queries. The keys are clustered by bisection where those rows look; each cluster
 * becomes one point at its mean, whose mass and value match what the rows need; ridge regression corrects the
 * values, and where there are enough points a linear function of the query is added, which makes good what keys and values
 * of a cluster do together; rows that had no part in it tell whether the values are of use, and if they are not, these
 * are shrunk towards their mean. What is computed exactly is returned exactly.
 *
 * Pairs of a query and a key count once in `keyEvaluations`, and so do the products that clustering takes. The linear function takes
 * d · d_v multiplications more for each query, as many as d · d_v / (d + d_v) keys; no key is looked at, and it is not counted.
 *
 * A budget that pays for fewer rows than clusters can be fitted to, and for no more than 64 keys, goes into rows alone: the
 * output is their mean, with the linear function that stands for all that keys and values do together.
 *
 * Where the budget covers all keys the result is exact, and where it pays for too few rows for any of this, the
 * practical KDEformer stands in.
 *
 * @throws {RangeError} If the problem hides keys, or a head does not fit the device.
 */
export const calibrated: Method = {
  summary: "a few points fitted to exact rows stand for the keys: the least error on trained heads",
  source: "docs/theory.md, section 5",
  random: true,
  withinBudget: true,
  usualError: 0.55,
  unseenEvaluations: 250,
  attend,
};

async function attend(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress = {},
): Promise<CostedAttention> {
  return await calibrate(backend, problem, budget, progress);
}

/**
 * `calibrated`, which a trial may stop halfway, as soon as it has heard of the heads that fit the device together.
 *
 * @throws {TrialFailed} If it does.
 */
export async function calibrate(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress,
  trial?: Trial,
): Promise<CostedAttention> {
  requireEveryKey("calibrated", problem);
  const inRange = bringInRange(problem), linearised = linearises(inRange, budget);
  const own = linearised ? countRows(problem, perQuery(budget)) : countProbes(problem, perQuery(budget));
  const extraRows = linearised ? 0 : Math.max(0, (trial?.rows ?? 0) - own.heldOut);
  const counts = { ...own, heldOut: own.heldOut + extraRows };
  const rows = sum(counts), fits = linearised || canCalibrate(problem, budget);
  if (fits && rows >= problem.queries) {
    return await attendExactly(backend, problem, progress, "exact: the budget covers every query");
  }
  if (!fits) return await kdeformerPractical.attend(backend, problem, budget, progress);

  const plan = { ...budget, counts, sloped: fitsSlope(inRange, budget), extraRows, trial };
  const run: RunHeads = linearised
    ? (heads) => lineariseHeads(backend, inRange, counts, budget.seed, heads, progress.signal)
    : (heads) => calibrateHeads(backend, inRange, plan, heads, progress.signal);
  // Softmax rows lie on the device as well.
  return await runHeads("calibrated", backend, problem, budget, progress, run, rows);
}

/** What `calibrated` prepares for a head, and what it then takes for each query; it must be able to. */
export interface Preparation {
  /** Exact rows. */
  readonly probes: number;
  /** Points, about; with a linear function in units of points. */
  readonly keysPerQuery: number;
}

/** What a budget goes into; undefined where it pays for too few rows. */
export function planCoreset(problem: Problem, budget: Budget): Preparation | undefined {
  const { queries, keys } = problem, linear = slopeCost(problem);
  if (canCalibrate(problem, budget)) {
    const probes = sum(countProbes(problem, perQuery(budget)));
    const points = Math.max(1, perQuery(budget) - probes * keys / queries);
    return { probes, keysPerQuery: points + (fitsSlope(problem, budget) ? linear : 0) };
  }
  if (!linearises(problem, budget)) return undefined;
  return { probes: sum(countRows(problem, perQuery(budget))), keysPerQuery: 1 + linear };
}

function sum({ uniform, outlying, heldOut }: ProbeCounts): number {
  return uniform + outlying + heldOut;
}

/** Whether a budget pays for enough exact rows to fit to. */
export function canCalibrate(problem: Problem, budget: Budget): boolean {
  return countProbes(problem, perQuery(budget)).uniform >= LEAST_UNIFORM;
}

/** Whether a budget is small enough for one point and a linear function, and pays for rows to fit these to. */
export function linearises(problem: Problem, budget: Budget): boolean {
  const keys = perQuery(budget);
  return !canCalibrate(problem, budget) && keys <= MOST_LINEARISED && inRangeOfSlopes(problem) &&
    countRows(problem, keys).uniform >= LEAST_LINEARISED_ROWS;
}

/** What the linear function takes for each query, in keys: d · d_v multiplications, of which a key takes d + d_v. */
export function slopeCost({ features, valueFeatures }: Problem): number {
  return features * valueFeatures / (features + valueFeatures);
}

/** Whether a budget pays for enough points to add a linear function of the query, which on trained heads errs up to twice less. */
export function fitsSlope(problem: Problem, budget: Budget): boolean {
  if (!canCalibrate(problem, budget)) return false;
  const probes = sum(countProbes(problem, perQuery(budget)));
  const points = perQuery(budget) - probes * problem.keys / problem.queries;
  return points >= POINTS_PER_SLOPE * slopeCost(problem) && inRangeOfSlopes(problem);
}

/** One exact row costs as much as `keys / queries` keys for every query. */
function countProbes({ queries, keys }: Problem, keysPerQuery: number): ProbeCounts {
  const affordable = keysPerQuery * queries / keys;
  return {
    uniform: Math.min(MOST_UNIFORM, Math.floor(UNIFORM_SHARE * affordable)),
    outlying: Math.min(MOST_OUTLYING, Math.floor(OUTLYING_SHARE * affordable)),
    heldOut: Math.max(LEAST_HELD_OUT, Math.min(MOST_HELD_OUT, Math.round(HELD_OUT_SHARE * affordable))),
  };
}

/** What is left beside the one key of each query goes into rows; extrapolation is linear, so none need lie far out. */
function countRows({ queries, keys }: Problem, keysPerQuery: number): ProbeCounts {
  return { uniform: Math.max(0, Math.floor((keysPerQuery - 1) * queries / keys)), outlying: 0, heldOut: 0 };
}

/** Whether products of keys and values stay far from overflow. */
function inRangeOfSlopes({ scale, largestKey, largestValue }: Problem): boolean {
  return Math.max(1, Math.abs(scale)) * Math.max(1, largestKey) * Math.max(1, largestValue) < 2 ** 80;
}
