import { cholesky, solveTransposed } from "../../linear_algebra/cholesky.ts";
import { leadingSubspace } from "../../linear_algebra/leading_subspace.ts";
import { scatteredPlaces } from "../../linear_algebra/scattered_places.ts";
import { congruent, gramMatrix, rowProducts, transposed } from "../../linear_algebra/row_products.ts";

/** Linear maps of queries and keys to few numbers whose inner products are nearly the logits: see {@link canonicalDirections}. */
export interface CanonicalDirections {
  /** [directions, features] */
  readonly query: Float64Array;
  /** [directions, features]; keys become about white: their covariance is the identity. */
  readonly key: Float64Array;
  readonly directions: number;
}

/** The same, and how far logits vary along each of them. */
export interface LeadingDirections extends CanonicalDirections {
  /** [directions]: of ⟨q, k⟩, before its scale. */
  readonly variances: Float64Array;
}

/** Rows of each head that are looked at: one in so many, within bounds; directions only steer where work goes. */
const EVERY = 16, LEAST_SAMPLED = 192, MOST_SAMPLED = 512;

/** How the logits of a head vary, before their scale: see {@link spreadOfLogits}. */
export interface LogitSpread {
  readonly features: number;
  /** L with L Lᵀ = Σ_k, the covariance of the keys: [features, features]. */
  readonly root: Float64Array;
  /** Lᵀ Σ_q L, Σ_q the covariance of the queries: [features, features]. */
  readonly matrix: Float64Array;
  /** Its trace: the variance of ⟨q, k⟩ over queries and keys about their means. */
  readonly variance: number;
}

/**
 * How logits vary, from some of the rows.
 *
 * @param query [queries, features] of one head
 * @param key [keys, features]
 */
export function spreadOfLogits(query: Float32Array, key: Float32Array, features: number): LogitSpread {
  const root = cholesky(covariance(key, features), features);
  return spreadOf(
    root,
    congruent(transposed(root, features), covariance(query, features), features),
    features,
  );
}

/** The spread of these matrices. */
export function spreadOf(root: Float64Array, matrix: Float64Array, features: number): LogitSpread {
  let variance = 0;
  for (let i = 0; i < matrix.length; i += features + 1) variance += matrix[i];
  return { features, root, matrix, variance };
}

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
  return directionsOf(spreadOfLogits(query, key, features), most);
}

/** {@link canonicalDirections} of a spread that is known. */
export function directionsOf({ features, root, matrix }: LogitSpread, most: number): LeadingDirections {
  const directions = Math.min(most, features), vectors = leadingSubspace(matrix, features, directions);
  const moved = rowProducts(vectors, matrix, features), variances = new Float64Array(directions);
  const forQueries = new Float64Array(directions * features),
    forKeys = new Float64Array(directions * features);
  for (let i = 0; i < directions; i++) {
    const vector = vectors.subarray(i * features, (i + 1) * features);
    for (let t = 0; t < features; t++) variances[i] += vector[t] * moved[i * features + t];
    for (let t = 0; t < features; t++) {
      for (let c = 0; c <= t; c++) forQueries[i * features + t] += root[t * features + c] * vector[c];
    }
    forKeys.set(solveTransposed(root, vector, features), i * features);
  }
  return { query: forQueries, key: forKeys, directions, variances };
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

function sampledOf(rows: number): number {
  return Math.min(rows, Math.max(LEAST_SAMPLED, Math.min(MOST_SAMPLED, Math.floor(rows / EVERY))));
}

/** The covariance of some rows: [width, width]. */
function covariance(rows: Float32Array, width: number): Float64Array {
  const columns = sampleColumns(rows, width);
  return gramMatrix(columns, columns.length / width);
}

/** Some rows about their mean, over the root of their number, column by column: [width, taken]. */
export function sampleColumns(rows: Float32Array, width: number): Float64Array {
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
  return columns;
}
