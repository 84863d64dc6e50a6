import type { Backend, DeviceArray } from "../../../kernels/backend.ts";
import { ofHead } from "../../core/of_head.ts";
import { cholesky } from "../../linear_algebra/cholesky.ts";
import { scatteredPlaces } from "../../linear_algebra/scattered_places.ts";
import type { CanonicalDirections } from "./canonical_directions.ts";
import { clusterQueries, type QueryClusters } from "./query_clusters.ts";
import { splitWidest } from "./split_widest.ts";
import { NEAR_QUERIES, nearQueries } from "./near_queries.ts";
import { moveCentres, spreadAbout, spreadCentres } from "./spread_centres.ts";

/** Steps that move centres to the means of what is nearest to them. */
const STEPS = 3;
/** So many of the centres are moved, and no fewer than so many if there are; the others come from splitting the widest clusters. */
const MOVED_SHARE = 0.5, LEAST_MOVED = 24;

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
  /** Clusters of the queries of a part. */
  readonly clusters: number;
  /** Queries of a part that are looked at. */
  readonly sampled: number;
  /** Queries of each cluster whose offsets are told; if left out {@link NEAR_QUERIES}, or none where there are several parts. */
  readonly looks?: number;
}

/** Clusters of the queries of each head, and how keys look to them. */
export interface FoundClusters {
  readonly clusters: QueryClusters;
  /** [heads, directions, features]: maps of keys under which their distances are what logits within clusters differ by. */
  readonly keyMaps: Float32Array;
  /** [heads, clusters, looks, directions]: offsets of some queries from their means, as keys under these maps see them; if they are known. */
  readonly offsets?: Float32Array;
}

/**
 * Clusters the queries of each part of the heads.
 *
 * @param parts Equal runs of the queries of a head, each of which has clusters of its own.
 * @param hostRows The queries on the host, if there is more than one cluster in a part.
 */
export async function findClusters(
  backend: Backend,
  given: QueryHeads,
  parts: number,
  hostRows: () => Float32Array,
  plan: ClusterPlan,
  signal?: AbortSignal,
): Promise<FoundClusters> {
  return plan.clusters === 1
    ? await takeParts(backend, given, parts, plan, signal)
    : await cutParts(backend, given, parts, hostRows(), plan, signal);
}

async function cutParts(
  backend: Backend,
  given: QueryHeads,
  parts: number,
  queryRows: Float32Array,
  { clusters: centres, directions: width, sampled, looks = parts === 1 ? NEAR_QUERIES : 0 }: ClusterPlan,
  signal?: AbortSignal,
): Promise<FoundClusters> {
  const { queries } = given, all = given.heads * parts, rowsOfPart = queries / parts;
  const kept = Math.max(Math.min(centres, LEAST_MOVED), Math.ceil(MOVED_SHARE * centres));
  const images = imagesOf(backend, given, width);
  const sample = sampleRows(backend, images, all, rowsOfPart, width, sampled);
  const tree = backend.growTree({ rows: sample, heads: all, count: sampled, width });
  const [rows, cuts] = await backend.run([tree.rows, tree.cuts], signal) as [Float32Array, Uint32Array];
  const nearest = async (centres: readonly Float64Array[], rows: DeviceArray, count: number) => {
    const [{ length }] = centres, centre = new Float32Array(all * length);
    centres.forEach((ofPart, part) => centre.set(ofPart, part * length));
    const labels = backend.nearestCentres({
      rows,
      centre: backend.upload(centre),
      heads: all,
      count,
      width,
      centres: length / width,
    });
    return (await backend.run([labels], signal))[0] as Uint32Array;
  };
  const moved = Array.from(
    { length: all },
    (_, part) => spreadCentres(ofHead(rows, part, all), ofHead(cuts, part, all), width, kept),
  );
  let labels = await nearest(moved, tree.rows, sampled);
  for (let step = 0; step < STEPS; step++) {
    moved.forEach((ofPart, part) =>
      moveCentres(ofPart, ofHead(rows, part, all), ofHead(labels, part, all), width)
    );
    labels = await nearest(moved, tree.rows, sampled);
  }
  const split = moved.map((_, part) =>
    splitWidest(ofHead(rows, part, all), ofHead(labels, part, all), width, centres)
  );
  split.forEach((own, part) => labels.set(own.labels, part * sampled));
  const own = split.map((ofPart) => ofPart.centres);
  const clusters = clusterQueries(queryRows, await nearest(own, images, rowsOfPart), all, centres);
  // A part knows its queries by their places in it.
  if (parts > 1) {
    clusters.order.forEach((row, at) => clusters.order[at] = row + at % queries - at % rowsOfPart);
  }
  const { keyMaps, roots } = keyMapsOf(given, parts, own, rows, labels);
  if (looks === 0) return { clusters, keyMaps };
  return {
    clusters,
    keyMaps,
    offsets: nearQueries(given, clusters.means, roots, rows, labels, parts, looks),
  };
}

/** Parts that are clusters as they are. */
async function takeParts(
  backend: Backend,
  given: QueryHeads,
  parts: number,
  { directions: width, sampled, looks = 0 }: ClusterPlan,
  signal?: AbortSignal,
): Promise<FoundClusters> {
  const { query, queries, features } = given, all = given.heads * parts, count = queries / parts;
  const sample = sampleRows(backend, query, all, count, features, sampled);
  const images = imagesOf(backend, { ...given, query: sample, queries: parts * sampled }, width);
  const means = backend.columnMean({ rows: query, heads: all, count, width: features });
  const [rows, meanRows] = await backend.run([images, means], signal) as [Float32Array, Float32Array];
  const centres = Array.from({ length: all }, (_, part) => {
    const centre = new Float64Array(width);
    ofHead(rows, part, all).forEach((x, at) => centre[at % width] += x / sampled);
    return centre;
  });
  const clusters = { sizes: new Uint32Array(all).fill(count), means: meanRows };
  const labels = new Uint32Array(all * sampled);
  const { keyMaps, roots } = keyMapsOf(given, parts, centres, rows, labels);
  if (looks === 0) return { clusters, keyMaps };
  return { clusters, keyMaps, offsets: nearQueries(given, meanRows, roots, rows, labels, parts, looks) };
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

/** Some rows of each head: [heads, picks, width]. */
function sampleRows(
  backend: Backend,
  rows: DeviceArray,
  heads: number,
  count: number,
  width: number,
  picks: number,
): DeviceArray {
  const places = scatteredPlaces(count, picks), index = new Uint32Array(heads * picks);
  for (let head = 0; head < heads; head++) index.set(places, head * picks);
  return backend.gatherRows({ rows, index: backend.upload(index), heads, count, width, picks });
}

/** The maps of keys from how sampled queries spread about the centres of their clusters, and for each head the root of that spread. */
function keyMapsOf(
  { features, maps }: QueryHeads,
  parts: number,
  centres: readonly Float64Array[],
  rows: Float32Array,
  labels: Uint32Array,
): { readonly keyMaps: Float32Array; readonly roots: readonly Float64Array[] } {
  const all = centres.length, width = maps[0].directions;
  const keyMaps = new Float32Array(maps.length * width * features);
  const roots = maps.map((map, head) => {
    const spread = new Float64Array(width * width);
    for (let part = head * parts; part < (head + 1) * parts; part++) {
      const own = spreadAbout(centres[part], ofHead(rows, part, all), ofHead(labels, part, all), width);
      own.forEach((x, at) => spread[at] += x / parts);
    }
    // The factor of a matrix that is 0 is its ridge; queries that are their centres move no logit.
    const root = spread.some((x) => x > 0) ? cholesky(spread, width) : spread;
    keyMaps.set(mapBySpread(map, root, features), head * width * features);
    return root;
  });
  return { keyMaps, roots };
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
