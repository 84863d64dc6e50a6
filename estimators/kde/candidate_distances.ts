import { type Backend, NO_ROW } from "../../kernels/backend.ts";
import type { CentredPoints } from "./centred_points.ts";

/** Distances of one submission. */
const CHUNK_DISTANCES = 2 ** 21;

/**
 * Squared distances of each query to points of its own, in bandwidths.
 *
 * @param queries [queries, features], placed as the points are
 * @param candidates For each query the points it is compared with.
 * @returns For each query the distances, in the order of its candidates.
 */
export async function candidateDistances(
  backend: Backend,
  points: CentredPoints,
  queries: Float32Array,
  candidates: readonly ArrayLike<number>[],
  signal?: AbortSignal,
): Promise<Float32Array[]> {
  const { features, count } = points, results: Float32Array[] = [], unit = points.bandwidth ** 2;
  for (let first = 0; first < candidates.length;) {
    // Lists of one submission are filled up to the longest: as many as keep that below the limit.
    let rows = 0, picks = 1;
    for (; first + rows < candidates.length; rows++) {
      const longest = Math.max(picks, candidates[first + rows].length);
      if (rows > 0 && longest * (rows + 1) > CHUNK_DISTANCES) break;
      picks = longest;
    }
    const index = new Uint32Array(rows * picks).fill(NO_ROW);
    for (let row = 0; row < rows; row++) index.set(candidates[first + row], row * picks);
    const distances = backend.gatheredDistances({
      rows: backend.upload(points.data),
      query: backend.upload(queries.subarray(first * features, (first + rows) * features)),
      index: backend.upload(index),
      heads: 1,
      count,
      queries: rows,
      width: features,
      picks,
    });
    const [values] = await backend.run([distances], signal) as Float32Array[];
    backend.reset();
    for (let row = 0; row < rows; row++) {
      const own = values.subarray(row * picks, row * picks + candidates[first + row].length);
      results.push(own.map((squared) => squared / unit));
    }
    first += rows;
  }
  return results;
}
