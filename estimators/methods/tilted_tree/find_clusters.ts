import type { Backend, DeviceArray } from "../../../kernels/backend.ts";
import { ofHead } from "../../core/of_head.ts";
import { cholesky } from "../../linear_algebra/cholesky.ts";
import type { CanonicalDirections } from "./canonical_directions.ts";
import { clusterQueries, type QueryClusters } from "./query_clusters.ts";
import { moveCentres, spreadAbout, spreadCentres } from "./spread_centres.ts";

/** Steps that move centres to the means of what is nearest to them. */
const STEPS = 3;

/** Queries of some heads, those of a head in parts of which each has clusters of its own. */
export interface PartedQueries {
  readonly heads: number;
  /** Parts of a head, equally long. */
  readonly parts: number;
  /** [heads, queries, features], part after part. */
  readonly query: DeviceArray;
  /** The same on the host. */
  readonly queryRows: Float32Array;
  /** Queries of a head. */
  readonly queries: number;
  readonly features: number;
  /** Factor on every inner product. */
  readonly scale: number;
  /** Of each head. */
  readonly maps: readonly CanonicalDirections[];
}

/** How clusters are found. */
export interface ClusterPlan {
  /** Directions in which rows are compared. */
  readonly directions: number;
  /** Clusters of the queries of a part. */
  readonly clusters: number;
  /** Queries of a part that they are found on. */
  readonly sampled: number;
}

/**
 * Clusters of the queries of each part, and maps of keys under which their distances are what logits within clusters differ by:
 * [heads, directions, features].
 */
export async function findClusters(
  backend: Backend,
  { heads, parts, query, queryRows, queries, features, scale, maps }: PartedQueries,
  { clusters: centres, directions: width, sampled }: ClusterPlan,
  signal?: AbortSignal,
): Promise<{ clusters: QueryClusters; keyMaps: Float32Array }> {
  const all = heads * parts, rowsOfPart = queries / parts;
  const queryMaps = new Float32Array(heads * width * features);
  maps.forEach((map, head) => queryMaps.set(map.query.map((x) => x * scale), head * width * features));
  const images = backend.innerProducts({
    rows: query,
    directions: backend.upload(queryMaps),
    heads,
    count: queries,
    width: features,
    projections: width,
  });
  const sample = backend.gatherRows({
    rows: images,
    index: backend.upload(
      Uint32Array.from(
        { length: all * sampled },
        (_, at) => Math.floor((at % sampled + 0.5) * rowsOfPart / sampled),
      ),
    ),
    heads: all,
    count: rowsOfPart,
    width,
    picks: sampled,
  });
  const tree = backend.growTree({ rows: sample, heads: all, count: sampled, width });
  const [rows, cuts] = await backend.run([tree.rows, tree.cuts], signal) as [Float32Array, Uint32Array];
  const own = Array.from(
    { length: all },
    (_, part) => spreadCentres(ofHead(rows, part, all), ofHead(cuts, part, all), width, centres),
  );
  const nearest = async (rows: DeviceArray, count: number) => {
    const centre = new Float32Array(all * centres * width);
    own.forEach((ofPart, part) => centre.set(ofPart, part * centres * width));
    const labels = backend.nearestCentres({
      rows,
      centre: backend.upload(centre),
      heads: all,
      count,
      width,
      centres,
    });
    return (await backend.run([labels], signal))[0] as Uint32Array;
  };
  let labels = await nearest(tree.rows, sampled);
  for (let step = 0; step < STEPS; step++) {
    own.forEach((ofOne, part) =>
      moveCentres(ofOne, ofHead(rows, part, all), ofHead(labels, part, all), width)
    );
    labels = await nearest(tree.rows, sampled);
  }
  const keyMaps = new Float32Array(heads * width * features);
  maps.forEach((map, head) => {
    const spread = new Float64Array(width * width);
    for (let part = head * parts; part < (head + 1) * parts; part++) {
      const ofPart = spreadAbout(own[part], ofHead(rows, part, all), ofHead(labels, part, all), width);
      ofPart.forEach((x, at) => spread[at] += x / parts);
    }
    keyMaps.set(mapBySpread(map, cholesky(spread, width), features), head * width * features);
  });
  return { clusters: clusterQueries(queryRows, await nearest(images, rowsOfPart), all, centres), keyMaps };
}

/** The map k -> Rᵀ x(k), where the spread of queries about their centres is R Rᵀ and x the map of keys. */
function mapBySpread(
  { key, directions }: CanonicalDirections,
  root: Float64Array,
  features: number,
): Float64Array {
  const map = new Float64Array(directions * features);
  for (let i = 0; i < directions; i++) {
    for (let j = i; j < directions; j++) {
      for (let t = 0; t < features; t++) {
        map[i * features + t] += root[j * directions + i] * key[j * features + t];
      }
    }
  }
  return map;
}
