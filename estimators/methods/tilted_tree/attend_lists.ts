import type { Backend, DeviceArray, PartialAttention } from "../../../kernels/backend.ts";
import type { FoundClusters, QueryHeads } from "./find_clusters.ts";
import { layOutLists } from "./query_clusters.ts";

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

/**
 * Opens a tree of the keys for each cluster of queries, and records attention to the lists that are left.
 *
 * @param entries Of a list, in the mean over the queries.
 */
export async function attendToLists(
  backend: Backend,
  { heads, query, queries, key, value, keys, features, valueFeatures, scale, maps, ends }: ListedHeads,
  { clusters, keyMaps }: FoundClusters,
  entries: number,
  signal?: AbortSignal,
): Promise<ListedAttention> {
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
  const sizes = { heads, centres, count: keys, width };
  const tilted = backend.tiltKeys({ logits, tree, ends: ends && backend.upload(ends), ...sizes });
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
  const lists = layOutLists(clusters, found, heads), { most, blocks, mostQueries, mostKeys } = lists;
  const sums = backend.sumLists({
    ...ordered,
    tree,
    tilted,
    threshold,
    first: backend.upload(lists.first),
    centre,
    ...sizes,
    features,
    valueFeatures,
    most,
  });
  const attended = backend.attend({
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
    queryOrder: clusters.order && backend.upload(clusters.order),
    blocks,
    bounds: { positions: backend.upload(lists.positions), mostQueries, mostKeys },
  });
  const evaluations = found.reduce((sum, length, at) => sum + length * clusters.sizes[at], 0);
  return { ...attended, evaluations };
}
