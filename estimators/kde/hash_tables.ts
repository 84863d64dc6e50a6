import type { Backend } from "../../kernels/backend.ts";
import type { RandomStream } from "../../kernels/random.ts";
import type { CentredPoints } from "./centred_points.ts";
import { bucketOf, type HashFunctions } from "./euclidean_hash.ts";

/** How one table hashes. */
export interface TableShape {
  /** Hash functions whose cells together name a bucket. */
  readonly functions: number;
  readonly width: number;
  /** First of these functions among those of its draw. */
  readonly firstFunction: number;
}

/** Points in the order of their buckets. */
export interface HashTable {
  readonly buckets: Float64Array;
  readonly points: Uint32Array;
}

/** Floats of one array of inner products. */
const CHUNK_FLOATS = 2 ** 22;

/** Each of `count` points with the same probability, independently: skips are geometric. */
export function binomialSubset(stream: RandomStream, count: number, probability: number): Uint32Array {
  if (probability >= 1) return Uint32Array.from({ length: count }, (_, at) => at);
  const chosen: number[] = [], logMiss = Math.log1p(-probability);
  for (let at = -1;;) {
    at += 1 + Math.floor(Math.log(stream.uniform()) / logMiss);
    if (!(at < count)) return Uint32Array.from(chosen);
    chosen.push(at);
  }
}

/**
 * Inner products of subsets of the points with directions, each subset with directions of its own.
 *
 * @param subsets Subset s goes with directions[s] [functions, features].
 * @returns For each subset [its size, functions].
 */
export async function projectSubsets(
  backend: Backend,
  points: CentredPoints,
  subsets: readonly Uint32Array[],
  directions: readonly Float32Array[],
  signal?: AbortSignal,
): Promise<Float32Array[]> {
  const { features, count } = points, functions = directions[0].length / features;
  const picks = subsets.reduce((most, subset) => Math.max(most, subset.length), 1);
  const perChunk = Math.max(1, Math.floor(CHUNK_FLOATS / (picks * Math.max(functions, features))));
  const results: Float32Array[] = [];
  for (let first = 0; first < subsets.length; first += perChunk) {
    const chunk = subsets.slice(first, first + perChunk), heads = chunk.length;
    // Short subsets are filled up with point 0; what that gives is not looked at.
    const index = new Uint32Array(heads * picks), planes = new Float32Array(heads * functions * features);
    chunk.forEach((subset, head) => {
      index.set(subset, head * picks);
      planes.set(directions[first + head], head * functions * features);
    });
    const rows = backend.gatherRows({
      rows: backend.upload(points.centred),
      index: backend.upload(index),
      heads: 1,
      count,
      width: features,
      picks: heads * picks,
    });
    const projected = backend.innerProducts({
      rows,
      directions: backend.upload(planes),
      heads,
      count: picks,
      width: features,
      projections: functions,
    });
    const [values] = await backend.run([projected], signal) as Float32Array[];
    backend.reset();
    chunk.forEach((subset, head) => {
      const start = head * picks * functions;
      results.push(values.subarray(start, start + subset.length * functions));
    });
  }
  return results;
}

/** Puts the points of a subset into buckets. */
export function fillTable(
  subset: Uint32Array,
  projections: Float32Array,
  { offsets }: HashFunctions,
  { functions, width, firstFunction }: TableShape,
): HashTable {
  const stride = offsets.length;
  const buckets = Float64Array.from(
    subset,
    (_, at) => bucketOf(projections, at * stride + firstFunction, offsets, firstFunction, functions, width),
  );
  const order = Uint32Array.from(subset.keys()).sort((a, b) => buckets[a] - buckets[b]);
  return {
    buckets: Float64Array.from(order, (at) => buckets[at]),
    points: Uint32Array.from(order, (at) => subset[at]),
  };
}

/** The points of a bucket. */
export function pointsIn({ buckets, points }: HashTable, bucket: number): Uint32Array {
  let start = 0, end = buckets.length;
  while (start < end) {
    const middle = (start + end) >>> 1;
    if (buckets[middle] < bucket) start = middle + 1;
    else end = middle;
  }
  for (end = start; end < buckets.length && buckets[end] === bucket;) end++;
  return points.subarray(start, end);
}

/** Inner products of queries [queries, features], about the middle of the points, with directions: [queries, functions]. */
export async function projectQueries(
  backend: Backend,
  queries: Float32Array,
  directions: Float32Array,
  features: number,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const projected = backend.innerProducts({
    rows: backend.upload(queries),
    directions: backend.upload(directions),
    heads: 1,
    count: queries.length / features,
    width: features,
    projections: directions.length / features,
  });
  const [values] = await backend.run([projected], signal) as Float32Array[];
  backend.reset();
  return values;
}
