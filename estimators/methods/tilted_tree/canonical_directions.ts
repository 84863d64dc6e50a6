import { cholesky, solveTransposed } from "../../linear_algebra/cholesky.ts";
import { leadingSubspace } from "../../linear_algebra/leading_subspace.ts";
import { scatteredPlaces } from "../../linear_algebra/scattered_places.ts";
import { congruent, gramMatrix, transposed } from "../../linear_algebra/row_products.ts";

/** Linear maps of queries and keys to few numbers whose inner products are nearly the logits: see {@link canonicalDirections}. */
export interface CanonicalDirections {
  /** [directions, features] */
  readonly query: Float64Array;
  /** [directions, features]; keys become about white: their covariance is the identity. */
  readonly key: Float64Array;
  readonly directions: number;
}

/** Rows of each head that are looked at: one in so many, within bounds; directions only steer where work goes. */
const EVERY = 16, LEAST_SAMPLED = 192, MOST_SAMPLED = 512;

/**
 * The directions in which logits vary most. With the covariances Σ_k = L Lᵀ of the keys and Σ_q of the queries, and the leading
 * eigenvectors U of Lᵀ Σ_q L, ⟨q, k⟩ is about ⟨Uᵀ Lᵀ q, Uᵀ L⁻¹ k⟩ but for a part that varies little; distances between the images of queries
 * are what their logits with the keys differ by (canonical correlation analysis; Hotelling 1936).
 *
 * @param query [queries, features] of one head
 * @param key [keys, features]
 * @param most Directions at most; there are no more than features.
 */
export function canonicalDirections(
  query: Float32Array,
  key: Float32Array,
  features: number,
  most: number,
): CanonicalDirections {
  const directions = Math.min(most, features);
  const root = cholesky(covariance(key, features), features), turned = transposed(root, features);
  const moved = congruent(turned, covariance(query, features), features);
  return mapsAlong(root, leadingSubspace(moved, features, directions), features);
}

/**
 * The maps of these directions.
 *
 * @param root L: [features, features]
 * @param vectors U: [directions, features]
 */
export function mapsAlong(root: Float64Array, vectors: Float64Array, features: number): CanonicalDirections {
  const directions = vectors.length / features;
  const forQueries = new Float64Array(directions * features),
    forKeys = new Float64Array(directions * features);
  for (let i = 0; i < directions; i++) {
    const vector = vectors.subarray(i * features, (i + 1) * features);
    for (let t = 0; t < features; t++) {
      for (let c = 0; c <= t; c++) forQueries[i * features + t] += root[t * features + c] * vector[c];
    }
    forKeys.set(solveTransposed(root, vector, features), i * features);
  }
  return { query: forQueries, key: forKeys, directions };
}

/**
 * Multiply-adds that finding directions takes, about: two covariances, of which half is computed, their product, and the iteration.
 *
 * @param queries Rows of a head, and keys of it.
 */
export function costOfDirections(
  queries: number,
  keys: number,
  features: number,
  directions: number,
): number {
  const rows = (sampledOf(queries) + sampledOf(keys)) / 2;
  return features ** 2 * (rows + 2 / 3 * features + 8 * directions);
}

/** How many of the rows of a head are looked at. */
export function sampledOf(rows: number): number {
  return Math.min(rows, Math.max(LEAST_SAMPLED, Math.min(MOST_SAMPLED, Math.floor(rows / EVERY))));
}

/** The covariance of some rows: [width, width]. */
function covariance(rows: Float32Array, width: number): Float64Array {
  const count = rows.length / width,
    taken = sampledOf(count),
    columns = new Float64Array(width * taken);
  scatteredPlaces(count, taken).forEach((row, at) => {
    for (let c = 0; c < width; c++) columns[c * taken + at] = rows[row * width + c];
  });
  for (let start = 0; start < columns.length; start += taken) {
    let mean = 0;
    for (let at = start; at < start + taken; at++) mean += columns[at] / taken;
    for (let at = start; at < start + taken; at++) columns[at] = (columns[at] - mean) / Math.sqrt(taken);
  }
  return gramMatrix(columns, taken);
}
