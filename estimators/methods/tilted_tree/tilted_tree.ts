import type { Backend } from "../../../kernels/backend.ts";
import type { Progress } from "../../core/head_chunks.ts";
import { bringInRange } from "../../core/in_range.ts";
import type { Problem } from "../../core/problem.ts";
import { kdeformerPractical } from "../kdeformer_practical/kdeformer_practical.ts";
import { type Budget, type CostedAttention, type Method, perQuery } from "../method.ts";
import { attendExactly, requireEveryKey, runEachHead, runHeads } from "../run_heads.ts";
import { tiltCausalHeads } from "./causal_heads.ts";
import { type CausalPlan, planCausalTree } from "./causal_plan.ts";
import { tiltHeads } from "./tilted_heads.ts";
import { planTree } from "./tree_plan.ts";

/** With fewer queries, a tree costs more than all keys. */
const FEW_QUERIES = 48;

/**
 * Attention by a tree of keys that each cluster of queries sees in its own light. The queries are clustered; from the centre of each cluster all keys
 * are weighed exactly, and with these weights every node of a tree over the keys has a mass, a mean key and a mean value (MuSe, arXiv 2509.10406).
 * A cluster opens the nodes in which the logits of its queries would vary most, by one threshold for all clusters, and its queries attend to
 * what it has then: single keys exactly, the others by their means, exact at the centre and to second order beside it. No row is fitted, and nothing is
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
  if (causal) {
    const inRange = bringInRange(problem);
    return await runEachHead(
      "tilted-tree",
      backend,
      problem,
      progress,
      (run) => tiltCausalHeads(backend, inRange, causal, budget.seed, run, progress.signal),
      3 * causal.clusters * causal.cut.blocks * (problem.queries / problem.period),
    );
  }
  requireEveryKey("tilted-tree", problem);
  const inRange = bringInRange(problem), plan = planTree(problem, perQuery(budget));
  if (problem.queries <= Math.max(FEW_QUERIES, plan?.clusters ?? 0)) {
    return await attendExactly(
      backend,
      problem,
      progress,
      "exact: there are too few queries to share a tree",
    );
  }
  if (!plan) return await kdeformerPractical.attend(backend, problem, budget, progress);
  return await runHeads(
    "tilted-tree",
    backend,
    problem,
    budget,
    progress,
    (run) => tiltHeads(backend, inRange, plan, budget.seed, run, progress.signal),
    // Logits, weights and gains for each cluster.
    3 * plan.clusters,
  );
}
