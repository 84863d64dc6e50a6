import type { Problem } from "../../../core/problem.ts";
import { FEW_ROUNDS, type KMeansPlan, productsOfKMeans, sampledRows } from "../shared/k_means.ts";

/** How one head is answered. */
export interface MusePlan {
  readonly keyClusters: number;
  readonly queryClusters: number;
  /** Lloyd's rounds of both clusterings, and rows that they look at; all of them if left out. */
  readonly rounds: number;
  readonly sampled?: number;
  /** Whether values of clusters depend on the query to first order. */
  readonly dipole: boolean;
}

/** Sizes of one head. */
export type HeadShape = Pick<Problem, "queries" | "keys" | "features" | "valueFeatures">;

/** The plan of k-means of the queries, or of the keys. */
export function clustering(
  { rounds, sampled, ...plan }: MusePlan,
  of: "queryClusters" | "keyClusters",
): KMeansPlan {
  return { clusters: plan[of], rounds, sampled };
}

/**
 * Key evaluations of one head: products of both clusterings; for each query cluster all keys, whose means beside that of values take
 * features multiply-adds more; each key cluster for each query. Dipoles take features · valueFeatures multiply-adds instead of
 * one row's for each key and query cluster, and for each query and key cluster.
 */
export function countMuse({ queries, keys, features, valueFeatures }: HeadShape, plan: MusePlan): number {
  const { queryClusters, keyClusters, dipole } = plan;
  const unit = features + valueFeatures, ofDipole = dipole ? features * valueFeatures / unit : 0;
  return Math.ceil(
    productsOfKMeans(queries, clustering(plan, "queryClusters")) +
      productsOfKMeans(keys, clustering(plan, "keyClusters")) +
      Math.min(queries, queryClusters) * keys * ((unit + features) / unit + ofDipole) +
      queries * Math.min(keys, keyClusters) * (1 + ofDipole),
  );
}

/** Key clusters for each query cluster. */
const KEYS_PER_QUERY_CLUSTER = 2;
/** The plan without dipoles that has most clusters of those that fit so many key evaluations for each query; one cluster of each at least. */
export function planMuse(shape: HeadShape, keysPerQuery: number): MusePlan {
  const { queries, keys } = shape, sampled = sampledRows(Math.max(queries, keys));
  const plan = (queryClusters: number, keyClusters: number): MusePlan => ({
    ...{ queryClusters, keyClusters, rounds: FEW_ROUNDS, sampled, dipole: false },
  });
  const fits = (plan: MusePlan) => countMuse(shape, plan) <= keysPerQuery * queries;
  const ofQueries = largest(
    Math.min(queries, keysPerQuery),
    (n) => fits(plan(n, KEYS_PER_QUERY_CLUSTER * n)),
  );
  const ofKeys = largest(Math.min(keys, keysPerQuery), (n) => fits(plan(ofQueries, n)));
  return plan(ofQueries, ofKeys);
}

/** The published way: two thirds of the budget are clusters of keys, one third clusters of queries, and finding them is on top. */
export function planPublished({ queries, keys }: HeadShape, keysPerQuery: number): MusePlan {
  return {
    keyClusters: Math.min(keys, Math.max(1, Math.round(keysPerQuery * 2 / 3))),
    queryClusters: Math.min(queries, Math.max(1, Math.round(keysPerQuery / 3))),
    rounds: 10,
    dipole: true,
  };
}

/** The largest of 2 … most for which a condition that ends somewhere holds; 1 if none. */
function largest(most: number, holds: (n: number) => boolean): number {
  let low = 1, high = most;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle - 1;
  }
  return Math.max(1, low);
}
