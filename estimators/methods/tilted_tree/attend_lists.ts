import type { Backend, DeviceArray, PartialAttention } from "../../../kernels/backend.ts";
import { type ClusterPlan, findClusters, type PartedQueries } from "./find_clusters.ts";
import { layOutLists } from "./query_clusters.ts";

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

/** Clusters the queries, opens a tree of the keys for each cluster, and records attention to the lists that are left. */
export async function attendToLists(
  backend: Backend,
  given: ListedHeads,
  plan: ListPlan,
  signal?: AbortSignal,
): Promise<ListedAttention> {
  const { heads, parts, query, queries, key, value, keys, features, valueFeatures, scale, ends } = given;
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
  const sizes = { heads, centres, count: keys, width };
  const limits = ends &&
    Uint32Array.from({ length: heads * centres }, (_, at) => ends[Math.floor(at / plan.clusters)]);
  const tilted = backend.tiltKeys({ logits, tree, ends: limits && backend.upload(limits), ...sizes });
  // Few queries shall not have lists without end, which take memory.
  const least = Math.ceil(LEAST_SIZE * queries / centres);
  const { threshold, lengths } = backend.openLists({
    gains: tilted.gains,
    sizes: backend.upload(clusters.sizes.map((size) => Math.max(size, least))),
    heads,
    centres,
    count: keys,
    budget: Math.min(2 ** 32 - 1, Math.floor(plan.entries * queries)),
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
  // A cluster knows its queries by their places in their part.
  const rowsOfPart = queries / parts;
  const queryOrder = parts === 1
    ? clusters.order
    : clusters.order.map((row, at) => row + Math.floor(at % queries / rowsOfPart) * rowsOfPart);
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
    queryOrder: backend.upload(queryOrder),
    blocks,
    bounds: { positions: backend.upload(lists.positions), mostQueries, mostKeys },
  });
  const evaluations = found.reduce((sum, length, at) => sum + length * clusters.sizes[at], 0);
  return { ...attended, evaluations };
}
