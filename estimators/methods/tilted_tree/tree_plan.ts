import type { Problem } from "../../core/problem.ts";
import { TREE_GROUP } from "../../../kernels/tree_primitives.ts";
import { costOfDirections } from "./canonical_directions.ts";
import { NEAR_QUERIES } from "./near_queries.ts";

/** How the budget of a head is spent. */
export interface TreePlan {
  /** Directions in which rows are compared. */
  readonly directions: number;
  /** Clusters of queries. */
  readonly clusters: number;
  /** Queries that the clusters are found on. */
  readonly sampled: number;
  /** Entries of a list, in the mean over the queries. */
  readonly entries: number;
  /** Rows that are computed exactly. */
  readonly heldOut: number;
  /** Key evaluations of one head beside those of the lists. */
  readonly preparation: number;
}

const HELD_OUT = 16;
/** Long lists are worth more directions, which tell apart what they hold: so many fours times the root of the budget, within bounds. */
const FOURS_OF_ROOT = 0.306, FEWEST_DIRECTIONS = 12, MOST_DIRECTIONS = 32;
/** Of what is left for lists and clusters, the part that clusters get. */
const CLUSTER_SHARE = 0.25;
/** Queries that clusters are found on: so many for each, and no fewer than so many in all, nor than so many for each evaluation that a query has. */
const SAMPLED_PER_CLUSTER = 16, LEAST_SAMPLED = 1024, SAMPLED_PER_EVALUATION = 8;
const FEWEST_CLUSTERS = 2, FEWEST_ENTRIES = 8, STEPS = 3;
/** Passes over the rows of a node, in the mean over the levels of a tree: products, distances and sums. */
const PASSES = 8;

/** Directions for a budget of key evaluations for each query. */
function countDirections(features: number, keysPerQuery: number): number {
  const wanted = 4 * Math.round(FOURS_OF_ROOT * Math.sqrt(keysPerQuery));
  return Math.min(features, Math.max(FEWEST_DIRECTIONS, Math.min(MOST_DIRECTIONS, wanted)));
}

/** Key evaluations of `unit` multiply-adds that a tree of rows takes. */
export function costOfTree(rows: number, directions: number, unit: number): number {
  return rows * Math.log2(Math.max(2, rows)) * PASSES * directions / unit;
}

/** Multiply-adds of one direction: means and scatters of groups of keys, and how so many queries of a cluster look at them. */
export function costOfLooks(keys: number, looks: number): number {
  return keys * (2 + looks / TREE_GROUP);
}

/**
 * Splits a budget of key evaluations for each query; undefined where it is too small for a tree.
 *
 * @param rows Rows that are computed exactly to tell the error.
 * @param mostSampled Queries that clusters are found on at most.
 */
export function planTree(
  problem: Problem,
  keysPerQuery: number,
  rows = HELD_OUT,
  mostSampled = problem.queries,
): TreePlan | undefined {
  const { queries, keys, features, valueFeatures } = problem;
  const directions = countDirections(features, keysPerQuery), heldOut = Math.min(rows, queries);
  // Multiply-adds of one number of a row, of which an evaluation has features + valueFeatures.
  const unit = features + valueFeatures;
  const project = (rows: number) => rows * features * directions / unit;
  const grow = (rows: number) => costOfTree(rows, directions, unit);
  const fixed = heldOut * keys + costOfDirections(queries, keys, features, directions) / unit +
    project(queries + keys) +
    grow(keys);
  // Logits, scatters of the nodes, and sums of the lists; then what finding the clusters takes.
  const ofCluster = keys * (2 * features + valueFeatures + 2 * directions) / unit +
    queries * directions / unit;
  // It shortens lists, and leaves as many clusters: few are worse than short lists.
  const ofLooks = costOfLooks(keys, NEAR_QUERIES) * directions / unit;
  const found = (clusters: number) => {
    const least = Math.max(LEAST_SAMPLED, SAMPLED_PER_EVALUATION * keysPerQuery);
    const sampled = Math.min(
      queries,
      mostSampled,
      Math.floor(Math.max(least, SAMPLED_PER_CLUSTER * clusters)),
    );
    return { sampled, cost: grow(sampled) + STEPS * sampled * clusters * directions / unit };
  };
  const left = keysPerQuery * queries - fixed - found(FEWEST_CLUSTERS).cost;
  const clusters = Math.floor(
    CLUSTER_SHARE * left / (ofCluster + STEPS * SAMPLED_PER_CLUSTER * directions / unit),
  );
  if (clusters < FEWEST_CLUSTERS) return undefined;
  const { sampled, cost } = found(clusters), preparation = fixed + cost + clusters * (ofCluster + ofLooks);
  const entries = keysPerQuery - preparation / queries;
  return entries < FEWEST_ENTRIES
    ? undefined
    : { directions, clusters, sampled, entries, heldOut, preparation };
}
