import type { Backend } from "../../../../kernels/backend.ts";
import type { Progress } from "../../../core/head_chunks.ts";
import type { Problem } from "../../../core/problem.ts";
import { type Attend, type Budget, type CostedAttention, type Method, perQuery } from "../../method.ts";
import { eachHead } from "../shared/each_head.ts";
import { FEW_ROUNDS, productsOfKMeans, sampledRows } from "../shared/k_means.ts";
import { attendMultipole, type MultipoleOptions } from "./attend_multipole.ts";

/**
 * "Multipole attention for efficient long context reasoning" (arXiv 2506.13059) with one level of clusters, and with so many that finding
 * them fits the budget: keys of the heaviest clusters of each query themselves, the means of the others. Its code opens none if
 * the heaviest does not fit what a query may see; here the next ones are tried.
 */
export const multipole: Method = {
  summary: "keys of each query's heaviest clusters themselves, means of the other clusters",
  source: "Multipole attention, arXiv 2506.13059, with one level, and k-means of some keys",
  random: true,
  withinBudget: true,
  refusal: ({ queries, keys }, budget) => {
    const least = Math.min(keys, Math.ceil(2 * costOfCluster(queries, keys)));
    return perQuery(budget) >= least
      ? undefined
      : `multipole takes a budget of at least ${least} key evaluations for each of ${queries} queries on ${keys} keys: current value is ${
        perQuery(budget)
      }`;
  },
  onHost: "the choice, products with the keys of its clusters, and the softmax over it",
  attend: attendBy("multipole", planMultipole),
};

/** As it is published: ten rounds of k-means of all keys, on top of the budget. */
export const multipolePublished: Method = {
  summary: "`multipole` with k-means of all keys, on top of the budget",
  source: "Multipole attention, arXiv 2506.13059, with one level",
  random: true,
  withinBudget: false,
  onHost: "the choice, products with the keys of its clusters, and the softmax over it",
  attend: attendBy("multipole-published", planPublished),
};

/** Of the budget, what clusters get, with finding them: as published, where finding them is not counted. */
const CLUSTER_SHARE = 2 / 3;
/** As the public code chooses and weighs, but that a cluster too large does not end it. */
const CHOICE = { rankBy: "key", stopsAtFirst: false, replaced: true } as const;

/** Evaluations for each query that one more cluster takes: with all queries, and to find it. */
function costOfCluster(queries: number, keys: number): number {
  return 1 + (FEW_ROUNDS * sampledRows(keys) + keys) / queries;
}

function planMultipole({ queries, keys }: Problem, keysPerQuery: number): MultipoleOptions {
  const cost = costOfCluster(queries, keys);
  const clusters = Math.min(
    keys,
    Math.max(1, Math.floor(Math.max(CLUSTER_SHARE * keysPerQuery, 2 * cost) / cost)),
  );
  const plan = { clusters, rounds: FEW_ROUNDS, sampled: sampledRows(keys) };
  const found = clusters + productsOfKMeans(keys, plan) / queries;
  // With too small a budget for two clusters there is the mean alone.
  if (found > keysPerQuery) return { ...plan, ...CHOICE, clusters: 1, tokens: 0 };
  return { ...plan, ...CHOICE, tokens: Math.floor(keysPerQuery - found) };
}

/** Clusters have their share of the budget without what finding them takes, keys the rest. */
function planPublished({ keys }: Problem, keysPerQuery: number): MultipoleOptions {
  const clusters = Math.min(keys, Math.max(1, Math.round(CLUSTER_SHARE * keysPerQuery)));
  return { ...CHOICE, clusters, rounds: 10, tokens: Math.max(0, keysPerQuery - clusters) };
}

function attendBy(name: string, plan: (problem: Problem, keysPerQuery: number) => MultipoleOptions): Attend {
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
      (head) => attendMultipole(backend, head, problem, own, budget.seed, progress.signal),
    );
  };
}
