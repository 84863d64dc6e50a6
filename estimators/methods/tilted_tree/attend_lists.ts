import type { Backend, DeviceArray, PartialAttention } from "../../../kernels/backend.ts";
import type { ListSums, RowTree, TiltedKeys } from "../../../kernels/tree_primitives.ts";
import type { FoundClusters, QueryHeads } from "./find_clusters.ts";
import { layOutLists, type QueryClusters } from "./query_clusters.ts";

/** Share of the mean size of a cluster that each counts for at least when the lengths of lists are decided. */
const LEAST_SIZE = 0.25;

/** Queries, and the keys that they attend to by lists. */
export interface ListedHeads extends QueryHeads {
  /** [heads, keys, features] */
  readonly key: DeviceArray;
  /** [heads, keys, valueFeatures] */
  readonly value: DeviceArray;
  readonly keys: number;
  readonly valueFeatures: number;
  /** [heads, clusters]: the queries of a cluster see so many keys, the first ones; all of them if left out. */
  readonly ends?: Uint32Array;
}

/** Attention to lists, recorded. */
export interface ListedAttention extends PartialAttention {
  /** Products of queries with entries of their lists. */
  readonly evaluations: number;
}

/** A tree of the keys, as it weighs for the clusters of the queries. */
export interface PlantedTree {
  readonly given: ListedHeads;
  readonly clusters: QueryClusters;
  /** Clusters of a head, and numbers of a row of the tree. */
  readonly centres: number;
  readonly width: number;
  readonly tree: RowTree;
  readonly tilted: TiltedKeys;
  /** Keys and values in the order of the tree. */
  readonly ordered: { readonly key: DeviceArray; readonly value: DeviceArray };
  /** [heads, centres, features], times the scale. */
  readonly centre: DeviceArray;
}

/** Records a tree of the keys, and what they weigh for each cluster. */
export function plantTree(
  backend: Backend,
  given: ListedHeads,
  { clusters, keyMaps, offsets }: FoundClusters,
): PlantedTree {
  const { heads, key, value, keys, features, valueFeatures, scale, maps, ends } = given;
  const width = maps[0].directions, centres = clusters.sizes.length / heads;
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
  const limits = ends && backend.upload(ends);
  const tilted = backend.tiltKeys({
    logits,
    tree,
    ends: limits,
    offsets: offsets && backend.upload(offsets),
    picks: offsets && offsets.length / (heads * centres * width),
    heads,
    centres,
    count: keys,
    width,
  });
  return { given, clusters, centres, width, tree, tilted, ordered, centre };
}

/** Lists of the clusters, and how long they are. */
export interface OpenedLists {
  readonly sums: ListSums;
  /** [heads, centres] */
  readonly lengths: Uint32Array;
}

/** Where lists are cut, not summed yet. */
export interface CutLists {
  readonly threshold: DeviceArray;
  /** [heads]: what cutting an entry of a list would still gain at most. */
  readonly gainsLeft: Float32Array;
  /** [heads, centres] */
  readonly lengths: Uint32Array;
}

/**
 * Decides where the lists of a tree are cut.
 *
 * @param entries Of a list, in the mean over the queries.
 */
export async function cutLists(
  backend: Backend,
  { given: { heads, queries, keys }, clusters, centres, tilted }: PlantedTree,
  entries: number,
  signal?: AbortSignal,
): Promise<CutLists> {
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
  const [gainsLeft, found] = await backend.run([threshold, lengths], signal) as [Float32Array, Uint32Array];
  return { threshold, gainsLeft, lengths: found };
}

/** Records the sums of lists. */
export function sumCutLists(
  backend: Backend,
  { given, clusters, centres, width, tree, tilted, ordered, centre }: PlantedTree,
  { threshold, lengths }: CutLists,
): OpenedLists {
  const { heads, keys, features, valueFeatures } = given;
  const { first, most } = layOutLists(clusters, lengths, heads);
  const sums = backend.sumLists({
    ...ordered,
    tree,
    tilted,
    threshold,
    first: backend.upload(first),
    centre,
    heads,
    centres,
    count: keys,
    width,
    features,
    valueFeatures,
    most,
  });
  return { sums, lengths };
}

/** Queries, and how they fall into the clusters of a tree. */
export interface ClusteredRows extends Pick<QueryClusters, "order" | "sizes"> {
  /** [heads, queries, features] */
  readonly query: DeviceArray;
  readonly queries: number;
}

/** Records attention of queries, those that the tree was made for or some of them, to the lists of their clusters. */
export function attendToOpened(
  backend: Backend,
  { given: { heads, features, valueFeatures, scale } }: PlantedTree,
  { sums, lengths }: OpenedLists,
  { query, queries, order, sizes }: ClusteredRows,
): PartialAttention {
  const { most, blocks, positions, mostQueries, mostKeys } = layOutLists({ sizes }, lengths, heads);
  return backend.attend({
    heads,
    queries,
    query,
    keys: most,
    key: sums.key,
    value: sums.value,
    features,
    valueFeatures,
    scale,
    logWeights: sums.logWeight,
    queryOrder: order && backend.upload(order),
    blocks,
    bounds: { positions: backend.upload(positions), mostQueries, mostKeys },
  });
}

/** Products of the queries of clusters with the entries of their lists. */
export function evaluationsOf({ lengths }: OpenedLists, { sizes }: Pick<QueryClusters, "sizes">): number {
  return lengths.reduce((sum, length, at) => sum + length * sizes[at], 0);
}

/**
 * Opens a tree of the keys for each cluster of queries, and records attention to the lists that are left.
 *
 * @param entries Of a list, in the mean over the queries.
 */
export async function attendToLists(
  backend: Backend,
  given: ListedHeads,
  found: FoundClusters,
  entries: number,
  signal?: AbortSignal,
): Promise<ListedAttention> {
  const planted = plantTree(backend, given, found), { clusters } = found;
  const opened = sumCutLists(backend, planted, await cutLists(backend, planted, entries, signal));
  const rows = { query: given.query, queries: given.queries, ...clusters };
  return { ...attendToOpened(backend, planted, opened, rows), evaluations: evaluationsOf(opened, clusters) };
}
