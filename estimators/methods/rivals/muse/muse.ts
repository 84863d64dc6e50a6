import type { Backend } from "../../../../kernels/backend.ts";
import type { Progress } from "../../../core/head_chunks.ts";
import type { Problem } from "../../../core/problem.ts";
import { type Attend, type Budget, type CostedAttention, type Method, perQuery } from "../../method.ts";
import { eachHead } from "../shared/each_head.ts";
import { attendClustered } from "./attend_clustered.ts";
import { countMuse, type HeadShape, type MusePlan, planMuse, planPublished } from "./muse_plan.ts";

/**
 * "MuSe: multipole semantic attention" (arXiv 2509.10406): queries and keys in clusters; each query cluster weighs the keys of each key
 * cluster by their exponentials at its centre, and its queries see their sums, moved to first order. Here with so many clusters that the
 * whole fits the budget, clusterings on some of the rows included, and with mean values alone.
 */
export const muse: Method = {
  summary:
    "clusters of queries and of keys; each query cluster has masses and means of the key clusters at its centre",
  source: "MuSe: multipole semantic attention, arXiv 2509.10406, without dipoles",
  random: true,
  withinBudget: true,
  refusal: (problem, budget) => {
    const { queries, keys } = problem;
    const least = Math.min(keys, Math.ceil(countMuse(problem, fewest) / queries));
    return perQuery(budget) >= least
      ? undefined
      : `muse takes a budget of at least ${least} key evaluations for each of ${queries} queries on ${keys} keys: current value is ${
        perQuery(budget)
      }`;
  },
  onHost: "means of clusters",
  attend: attendBy("muse", planMuse),
};

/** As it is published: k-means of all rows, which costs several times the budget, and values that depend on the query to first order. */
export const musePublished: Method = {
  summary: "`muse` with k-means of all rows and dipoles, on top of the budget",
  source: "MuSe: multipole semantic attention, arXiv 2509.10406",
  random: true,
  withinBudget: false,
  onHost: "means of clusters, and dipoles",
  attend: attendBy("muse-published", planPublished),
};

/** One cluster of each. */
const fewest: MusePlan = { queryClusters: 1, keyClusters: 1, rounds: 0, dipole: false };

function attendBy(name: string, plan: (shape: HeadShape, keysPerQuery: number) => MusePlan): Attend {
  return async (
    backend: Backend,
    problem: Problem,
    budget: Budget,
    progress: Progress = {},
  ): Promise<CostedAttention> => {
    const own = plan(problem, perQuery(budget));
    return await eachHead(
      name,
      backend,
      problem,
      budget,
      progress,
      (head) => attendClustered(backend, head, problem, own, budget.seed, progress.signal),
    );
  };
}
