import type { Backend, DeviceArray } from "../../../kernels/backend.ts";
import { ofHead } from "../../core/of_head.ts";
import { cholesky } from "../../linear_algebra/cholesky.ts";
import type { CanonicalDirections } from "./canonical_directions.ts";
import { clusterQueries, type QueryClusters } from "./query_clusters.ts";
import { moveCentres, spreadAbout, spreadCentres } from "./spread_centres.ts";

/** Steps that move centres to the means of what is nearest to them. */
const STEPS = 3;

/** Queries of some heads. */
export interface QueryHeads {
  readonly heads: number;
  /** [heads, queries, features] */
  readonly query: DeviceArray;
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
  /** Clusters of the queries of a head. */
  readonly clusters: number;
  /** Queries that are looked at. */
  readonly sampled: number;
}

/** Clusters of the queries of each head, and how keys look to them. */
export interface FoundClusters {
  readonly clusters: QueryClusters;
  /** [heads, directions, features]: maps of keys under which their distances are what logits within clusters differ by. */
  readonly keyMaps: Float32Array;
}

/**
 * Clusters the queries of each head.
 *
 * @param queryRows The queries on the host.
 */
export async function findClusters(
  backend: Backend,
  given: QueryHeads,
  queryRows: Float32Array,
  { clusters: centres, directions: width, sampled }: ClusterPlan,
  signal?: AbortSignal,
): Promise<FoundClusters> {
  const { heads, queries, maps } = given, images = imagesOf(backend, given, width);
  const sample = sampleRows(backend, images, heads, queries, width, sampled);
  const tree = backend.growTree({ rows: sample, heads, count: sampled, width });
  const [rows, cuts] = await backend.run([tree.rows, tree.cuts], signal) as [Float32Array, Uint32Array];
  const own = maps.map((_, head) =>
    spreadCentres(ofHead(rows, head, heads), ofHead(cuts, head, heads), width, centres)
  );
  const nearest = async (rows: DeviceArray, count: number) => {
    const centre = new Float32Array(heads * centres * width);
    own.forEach((ofHead, head) => centre.set(ofHead, head * centres * width));
    const labels = backend.nearestCentres({
      rows,
      centre: backend.upload(centre),
      heads,
      count,
      width,
      centres,
    });
    return (await backend.run([labels], signal))[0] as Uint32Array;
  };
  let labels = await nearest(tree.rows, sampled);
  for (let step = 0; step < STEPS; step++) {
    own.forEach((ofOne, head) =>
      moveCentres(ofOne, ofHead(rows, head, heads), ofHead(labels, head, heads), width)
    );
    labels = await nearest(tree.rows, sampled);
  }
  const spreads = own.map((centre, head) =>
    spreadAbout(centre, ofHead(rows, head, heads), ofHead(labels, head, heads), width)
  );
  return {
    clusters: clusterQueries(queryRows, await nearest(images, queries), heads, centres),
    keyMaps: keyMapsOf(given, spreads),
  };
}

/** Queries of each head that are cut into equal runs, as many as `clusters` says: each of these is a cluster as it is. */
export async function takeRuns(
  backend: Backend,
  given: QueryHeads,
  { clusters: runs, directions: width, sampled }: ClusterPlan,
  signal?: AbortSignal,
): Promise<FoundClusters> {
  const { heads, query, queries, features, maps } = given, all = heads * runs, count = queries / runs;
  const ofRun = Math.min(count, Math.ceil(sampled / runs));
  const sampledRows = sampleRows(backend, query, all, count, features, ofRun);
  const images = imagesOf(backend, { ...given, query: sampledRows, queries: runs * ofRun }, width);
  const means = backend.columnMean({ rows: query, heads: all, count, width: features });
  const [rows, meanRows] = await backend.run([images, means], signal) as [Float32Array, Float32Array];
  const labels = Uint32Array.from({ length: runs * ofRun }, (_, at) => Math.floor(at / ofRun));
  const spreads = maps.map((_, head) => {
    const own = ofHead(rows, head, heads), centres = new Float64Array(runs * width);
    own.forEach((x, at) => centres[labels[Math.floor(at / width)] * width + at % width] += x / ofRun);
    return spreadAbout(centres, own, labels, width);
  });
  return {
    clusters: { sizes: new Uint32Array(all).fill(count), means: meanRows },
    keyMaps: keyMapsOf(given, spreads),
  };
}

/** Queries in the directions in which their logits vary: [heads, queries, width]. */
function imagesOf(
  backend: Backend,
  { heads, query, queries, features, scale, maps }: QueryHeads,
  width: number,
): DeviceArray {
  const queryMaps = new Float32Array(heads * width * features);
  maps.forEach((map, head) => queryMaps.set(map.query.map((x) => x * scale), head * width * features));
  return backend.innerProducts({
    rows: query,
    directions: backend.upload(queryMaps),
    heads,
    count: queries,
    width: features,
    projections: width,
  });
}

/** Evenly spaced rows of each head: [heads, picks, width]. */
function sampleRows(
  backend: Backend,
  rows: DeviceArray,
  heads: number,
  count: number,
  width: number,
  picks: number,
): DeviceArray {
  const index = Uint32Array.from(
    { length: heads * picks },
    (_, at) => Math.floor((at % picks + 0.5) * count / picks),
  );
  return backend.gatherRows({ rows, index: backend.upload(index), heads, count, width, picks });
}

/** The maps of keys from how queries spread about the centres of their clusters: [width, width] of each head. */
function keyMapsOf({ features, maps }: QueryHeads, spreads: readonly Float64Array[]): Float32Array {
  const keyMaps = new Float32Array(maps.reduce((sum, { key }) => sum + key.length, 0));
  maps.forEach((map, head) => {
    const root = cholesky(spreads[head], map.directions);
    keyMaps.set(mapBySpread(map, root, features), head * map.key.length);
  });
  return keyMaps;
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
