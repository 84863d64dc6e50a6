import type { Backend, DeviceArray, PartialAttention } from "../../../kernels/backend.ts";
import type { ListSums, RowTree, TiltedKeys } from "../../../kernels/tree_primitives.ts";
import { type ClusterPlan, findClusters, type PartedQueries } from "./find_clusters.ts";
import { layOutLists, type QueryClusters } from "./query_clusters.ts";

/** Share of the mean size of a cluster that each counts for at least when the lengths of lists are decided. */
const LEAST_SIZE = 0.25;

/** Queries, and the keys that they attend to by lists. */
export interface ListedHeads extends PartedQueries {
  /** [heads, keys, features] */
  readonly key: DeviceArray;
  /** [heads, keys, valueFeatures] */
  readonly value: DeviceArray;
  readonly keys: number;
  readonly valueFeatures: number;
  /** [heads, parts]: the queries of a part see so many keys, the first ones; all of them if left out. */
  readonly ends?: Uint32Array;
}

/** How clusters are found, and how long their lists may be. */
export interface ListPlan extends ClusterPlan {
  /** Entries of a list, in the mean over the queries. */
  readonly entries: number;
}

/** Attention to lists, recorded. */
export interface ListedAttention extends PartialAttention {
  /** Products of queries with entries of their lists. */
  readonly evaluations: number;
}

/** Clusters of the queries, and a tree of the keys that weighs them from each. */
export interface PlantedTree {
  readonly given: ListedHeads;
  readonly centres: number;
  readonly width: number;
  readonly clusters: QueryClusters;
  readonly tree: RowTree;
  readonly tilted: TiltedKeys;
  /** Keys and values in the order of the tree. */
  readonly ordered: { readonly key: DeviceArray; readonly value: DeviceArray };
  /** [heads, centres, features], times the scale. */
  readonly centre: DeviceArray;
}

/** Clusters the queries, grows the tree, and records what keys weigh for the clusters. */
export async function plantTree(
  backend: Backend,
  given: ListedHeads,
  plan: ClusterPlan,
  signal?: AbortSignal,
): Promise<PlantedTree> {
  const { heads, parts, key, value, keys, features, valueFeatures, scale, ends } = given;
  const width = plan.directions, centres = parts * plan.clusters;
  const { clusters, keyMaps } = await findClusters(backend, given, plan, signal);
  const tree = backend.growTree({
    rows: backend.innerProducts({
      rows: key,
      directions: backend.upload(keyMaps),
      heads,
      count: keys,
      width: features,
      projections: width,
    }),
    heads,
    count: keys,
    width,
  });
  const inOrder = (rows: DeviceArray, width: number) =>
    backend.gatherRows({ rows, index: tree.order, heads, count: keys, width, picks: keys });
  const ordered = { key: inOrder(key, features), value: inOrder(value, valueFeatures) };
  const centre = backend.upload(clusters.means.map((x) => x * scale));
  const logits = backend.innerProducts({
    rows: centre,
    directions: ordered.key,
    heads,
    count: centres,
    width: features,
    projections: keys,
  });
  const limits = ends &&
    Uint32Array.from({ length: heads * centres }, (_, at) => ends[Math.floor(at / plan.clusters)]);
  const tilted = backend.tiltKeys({
    logits,
    tree,
    ends: limits && backend.upload(limits),
    heads,
    centres,
    count: keys,
    width,
  });
  return { given, centres, width, clusters, tree, tilted, ordered, centre };
}

/** Lists of the clusters, and how long they are. */
export interface OpenedLists {
  readonly sums: ListSums;
  /** [heads, centres] */
  readonly lengths: Uint32Array;
}

/**
 * Opens the lists of a tree, and records their sums.
 *
 * @param entries Entries of a list, in the mean over the queries.
 */
export async function openTree(
  backend: Backend,
  { given, centres, width, clusters, tree, tilted, ordered, centre }: PlantedTree,
  entries: number,
  signal?: AbortSignal,
): Promise<OpenedLists> {
  const { heads, queries, keys, features, valueFeatures } = given;
  const sizes = { heads, centres, count: keys, width };
  // Few queries shall not have lists without end, which take memory.
  const least = Math.ceil(LEAST_SIZE * queries / centres);
  const { threshold, lengths } = backend.openLists({
    gains: tilted.gains,
    sizes: backend.upload(clusters.sizes.map((size) => Math.max(size, least))),
    heads,
    centres,
    count: keys,
    budget: Math.min(2 ** 32 - 1, Math.floor(entries * queries)),
  });
  const [found] = await backend.run([lengths], signal) as [Uint32Array];
  const { first, most } = layOutLists(clusters, found, heads);
  const sums = backend.sumLists({
    ...ordered,
    tree,
    tilted,
    threshold,
    first: backend.upload(first),
    centre,
    ...sizes,
    features,
    valueFeatures,
    most,
  });
  return { sums, lengths: found };
}

/**
 * Records attention of queries to the lists of their clusters.
 *
 * @param rows The queries, with their clusters: all of them, or some.
 */
export function attendToOpened(
  backend: Backend,
  { given: { heads, parts, features, valueFeatures, scale } }: PlantedTree,
  { sums, lengths }: OpenedLists,
  rows: { readonly query: DeviceArray; readonly queries: number } & Pick<QueryClusters, "order" | "sizes">,
): PartialAttention {
  const { query, queries, order } = rows, lists = layOutLists(rows, lengths, heads);
  // A cluster knows its queries by their places in their part.
  const rowsOfPart = queries / parts;
  const queryOrder = parts === 1
    ? order
    : order.map((row, at) => row + Math.floor(at % queries / rowsOfPart) * rowsOfPart);
  return backend.attend({
    heads,
    queries,
    query,
    keys: lists.most,
    key: sums.key,
    value: sums.value,
    features,
    valueFeatures,
    scale,
    logWeights: sums.logWeight,
    queryOrder: backend.upload(queryOrder),
    blocks: lists.blocks,
    bounds: {
      positions: backend.upload(lists.positions),
      mostQueries: lists.mostQueries,
      mostKeys: lists.mostKeys,
    },
  });
}

/** Clusters the queries, opens a tree of the keys for each cluster, and records attention to the lists that are left. */
export async function attendToLists(
  backend: Backend,
  given: ListedHeads,
  plan: ListPlan,
  signal?: AbortSignal,
): Promise<ListedAttention> {
  const planted = await plantTree(backend, given, plan, signal), { clusters } = planted;
  const opened = await openTree(backend, planted, plan.entries, signal);
  const attended = attendToOpened(backend, planted, opened, { ...given, ...clusters });
  return { ...attended, evaluations: evaluationsOf(opened, clusters) };
}

/** Products of queries with entries of their lists. */
export function evaluationsOf({ lengths }: OpenedLists, { sizes }: Pick<QueryClusters, "sizes">): number {
  return lengths.reduce((sum, length, at) => sum + length * sizes[at], 0);
}
