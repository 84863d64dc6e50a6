import type { Backend } from "../../../kernels/backend.ts";
import { PartCollector } from "../../core/exact.ts";
import type { Progress } from "../../core/head_chunks.ts";
import { bringInRange } from "../../core/in_range.ts";
import type { Problem } from "../../core/problem.ts";
import { kdeformerPractical } from "../kdeformer_practical/kdeformer_practical.ts";
import { type Budget, type CostedAttention, type Method, perQuery } from "../method.ts";
import type { HeldOutRows } from "../held_out.ts";
import { attendExactly, type HeadRun, requireEveryKey, runEachHead, runHeads } from "../run_heads.ts";
import { tiltCausalHeads } from "./causal_heads.ts";
import { type CausalPlan, planByVariance, planCausalTree } from "./causal_plan.ts";
import { type HeadSpread, takeDirections } from "./causal_spread.ts";
import { tiltToTarget, type TreeTarget } from "./target_heads.ts";
import { tiltHeads } from "./tilted_heads.ts";
import { planTree, type TreePlan } from "./tree_plan.ts";

/** With fewer queries, a tree costs more than all keys. */
const FEW_QUERIES = 48;

/**
 * Attention by a tree of keys that each cluster of queries sees in its own light. The queries are clustered; from the centre of each cluster all keys
 * are weighed exactly, and with these weights every node of a tree over the keys has a mass, a mean key and a mean value (MuSe, arXiv 2509.10406).
 * A cluster opens the nodes that some of its queries look at and in which their logits would vary most, by one threshold for all clusters, and its queries attend to
 * what it has then: single keys exactly, the others by their means, to first order about the centre and to second order in the mean. No row is fitted, and nothing is
 * drawn but the few rows that are computed exactly, to tell the error.
 *
 * Products count in `keyEvaluations` in units of d + d_v multiply-adds: projections, trees, clusters, weights and sums.
 * In causal order one tree serves all queries of a head: clusters of the queries of a block of consecutive positions weigh what comes before it
 * and no key that a mask hides, and attend to the block itself exactly.
 * Where a budget is too small for a tree, the practical KDEformer stands in; where there are few queries, or clusters would hold one each, the result is exact.
 *
 * @throws {RangeError} If the problem hides keys and `takesCausal` does not take it, or a head does not fit the device.
 */
export const tiltedTree: Method = {
  summary:
    "each cluster of queries opens a tree of keys where its logits vary: sharp heads, at small budgets",
  source: "docs/theory.md, section 5.1",
  random: true,
  withinBudget: true,
  usualError: 0.55,
  unseenEvaluations: 500,
  takesCausal: (problem, budget) => causalPlanOf(problem, budget) !== undefined,
  attend,
};

/** How a problem in causal order is attended to by one tree; undefined where rectangles do better. */
function causalPlanOf(problem: Problem, budget: Budget): CausalPlan | undefined {
  if (problem.causalOffset === undefined || problem.queries <= FEW_QUERIES) return undefined;
  return planCausalTree(problem, perQuery(budget));
}

async function attend(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress = {},
): Promise<CostedAttention> {
  const causal = causalPlanOf(problem, budget);
  if (causal) return await attendInOrder(backend, problem, causal, budget.seed, progress);
  requireEveryKey("tilted-tree", problem);
  const plan = planTree(problem, perQuery(budget));
  if (problem.queries <= Math.max(FEW_QUERIES, plan?.clusters ?? 0)) {
    return await attendExactly(
      backend,
      problem,
      progress,
      "exact: there are too few queries to share a tree",
    );
  }
  if (!plan) return await kdeformerPractical.attend(backend, problem, budget, progress);
  return await attendByTree(backend, problem, plan, budget, progress);
}

/** `tilted-tree` in causal order, its budget split beforehand. */
export async function attendInOrder(
  backend: Backend,
  problem: Problem,
  plan: CausalPlan,
  seed: number,
  progress: Progress,
): Promise<CostedAttention> {
  const inRange = bringInRange(problem);
  return await runEachHead(
    "tilted-tree",
    backend,
    problem,
    progress,
    (run) => tiltCausalHeads(backend, inRange, plan, seed, run, progress.signal),
    numbersInOrder(problem, plan),
  );
}

/** The same with a plan for each head, by how its logits vary; heads with the same plan go together. */
export async function attendByVariance(
  backend: Backend,
  problem: Problem,
  spreads: readonly HeadSpread[],
  seed: number,
  progress: Progress,
): Promise<CostedAttention> {
  const inRange = bringInRange(problem), plans = spreads.map((own) => planByVariance(problem, own));
  const isLike = (a: CausalPlan, b: CausalPlan) =>
    a.directions === b.directions && a.entries === b.entries && a.looks === b.looks;
  const attend = async ({ first, count }: HeadRun) => {
    const plan = plans[first];
    const maps = spreads.slice(first, first + count).map((own) => takeDirections(own, plan.directions));
    return await tiltCausalHeads(backend, inRange, plan, seed, { first, count }, progress.signal, maps);
  };
  const wide = Math.max(...plans.map((plan) => numbersInOrder(problem, plan)));
  return await runEachHead("tilted-tree", backend, problem, progress, async ({ first, count }) => {
    const parts = new PartCollector(), heldOut: HeldOutRows[] = [];
    let keyEvaluations = 0;
    for (let from = first; from < first + count;) {
      let end = from + 1;
      while (end < first + count && isLike(plans[from], plans[end])) end++;
      if (end - from === count) return await attend({ first, count });
      const result = await attend({ first: from, count: end - from });
      parts.add([result.output, result.logSumExp]);
      heldOut.push(...result.heldOut!);
      keyEvaluations += result.keyEvaluations;
      backend.reset();
      from = end;
    }
    return { ...parts.result(), keyEvaluations, heldOut };
  }, wide);
}

/** Numbers that a tree keeps for each key: logits, weights, those by which queries look, and gains for each cluster. */
export function numbersOfTree({ clusters }: TreePlan): number {
  return 4 * clusters;
}

/** The same in causal order; where queries are not asked these are fewer. */
export function numbersInOrder({ queries, period }: Problem, { clusters, cut, looks }: CausalPlan): number {
  return (looks ? 4 : 3) * clusters * cut.blocks * (queries / period);
}

/** Whether there are queries enough to share a tree, each cluster of several. */
export function canShareTree({ queries }: Problem, plan: TreePlan | undefined): plan is TreePlan {
  return plan !== undefined && queries > Math.max(FEW_QUERIES, plan.clusters);
}

/** `tilted-tree`, its budget split beforehand; the problem must be one that can share a tree. */
export async function attendByTree(
  backend: Backend,
  problem: Problem,
  plan: TreePlan,
  budget: Budget,
  progress: Progress = {},
): Promise<CostedAttention> {
  const inRange = bringInRange(problem);
  return await runHeads(
    "tilted-tree",
    backend,
    problem,
    budget,
    progress,
    (run) => tiltHeads(backend, inRange, plan, budget.seed, run, progress.signal),
    numbersOfTree(plan),
  );
}

/** Evaluations for each query that decide how many clusters there are where lists grow to an error; longer sequences take more, and longer lists. */
const TARGET_BUDGET = 400, MOST_TARGET_SHARE = 1 / 6, LONG = 16384;
/** Rows that judge the answer, and queries that clusters are found on at most: more find hardly better ones, and splitting them takes the host long. */
const JUDGES = 160, MOST_SAMPLED = 2048;
/** How long lists have to be is told from what lists of this length leave, times how far off a coreset was, within bounds. */
const FIRST_ENTRIES = 128, MOST_FIRST = 640;
/** Where all that is known of a head is that it is sharp: of this length for a tolerance of 1, as errors fall on the sharpest. */
const SHARP_ENTRIES = 9, SHARP_POWER = 1.2;
/** Shares of the keys that the first lists may be long, and the last: beyond, exact attention is as fast. */
const MOST_FIRST_SHARE = 1 / 14, MOST_SHARE = 0.12;
/** How much longer preparing takes than its evaluations say; with the first lists it may take this share of the time of exact attention. */
const PREPARATION = 3, MOST_TIME = 0.4;

/**
 * How lists are opened for an error; undefined where there are too few queries and keys for that to pay.
 *
 * @param excess The error of a small coreset, over the tolerance; left out where the head is known to be sharp.
 */
export function planTarget(problem: Problem, tolerance: number, excess?: number): TreeTarget | undefined {
  const { queries, keys } = problem;
  const growth = Math.sqrt(Math.max(1, keys / LONG));
  const budget = Math.min(growth * TARGET_BUDGET, MOST_TARGET_SHARE * keys) + JUDGES * keys / queries;
  const plan = planTree(problem, budget, JUDGES, MOST_SAMPLED);
  if (!canShareTree(problem, plan) || JUDGES > queries / 16) return undefined;
  const wanted = excess === undefined
    ? growth * SHARP_ENTRIES / tolerance ** SHARP_POWER
    : FIRST_ENTRIES * Math.max(1, excess);
  const mostFirst = Math.min(growth * MOST_FIRST, MOST_FIRST_SHARE * keys),
    entries = Math.min(mostFirst, wanted);
  if (PREPARATION * plan.preparation / queries + entries > MOST_TIME * keys) return undefined;
  return { tolerance, plan: { ...plan, entries }, mostFirst, mostEntries: Math.floor(MOST_SHARE * keys) };
}

/**
 * `tilted-tree` with lists as long as an error takes, for a problem of one head.
 *
 * @throws {TrialFailed} If that is too long.
 */
export async function attendToTarget(
  backend: Backend,
  problem: Problem,
  target: TreeTarget,
  seed: number,
  { signal }: Progress,
): Promise<CostedAttention> {
  requireEveryKey("tilted-tree", problem);
  return await tiltToTarget(backend, bringInRange(problem), target, seed, signal);
}
