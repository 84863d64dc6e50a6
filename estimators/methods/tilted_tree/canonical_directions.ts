import { cholesky, solveTransposed } from "../../linear_algebra/cholesky.ts";
import { leadingSubspace } from "../../linear_algebra/leading_subspace.ts";

/** Linear maps of queries and keys to few numbers whose inner products are nearly the logits: see {@link canonicalDirections}. */
export interface CanonicalDirections {
  /** [directions, features] */
  readonly query: Float64Array;
  /** [directions, features]; keys become about white: their covariance is the identity. */
  readonly key: Float64Array;
  readonly directions: number;
}

/** Rows of each head that are looked at: directions only steer where work goes. */
const SAMPLE = 192;

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
  const root = cholesky(covariance(centredSample(key, features), features), features);
  const moved = centredSample(query, features).map((row) => {
    const image = new Float64Array(features);
    for (let t = 0; t < features; t++) {
      const x = row[t];
      for (let c = 0; c <= t; c++) image[c] += x * root[t * features + c];
    }
    return image;
  });
  const vectors = leadingSubspace(covariance(moved, features), features, directions);
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

/** Multiply-adds that finding directions takes, about: two covariances, images of queries, and the iteration. */
export function costOfDirections(features: number, directions: number): number {
  return features ** 2 * (1.5 * SAMPLE + 8 * directions);
}

/** Evenly spaced rows less their mean. */
function centredSample(rows: Float32Array, width: number): Float64Array[] {
  const count = rows.length / width, taken = Math.min(SAMPLE, count), mean = new Float64Array(width);
  const sample = Array.from({ length: taken }, (_, at) => {
    const row = Math.floor((at + 0.5) * count / taken);
    return Float64Array.from(rows.subarray(row * width, (row + 1) * width));
  });
  for (const row of sample) for (let c = 0; c < width; c++) mean[c] += row[c] / taken;
  for (const row of sample) for (let c = 0; c < width; c++) row[c] -= mean[c];
  return sample;
}

function covariance(sample: readonly Float64Array[], width: number): Float64Array {
  const count = sample.length,
    columns = new Float64Array(width * count),
    sums = new Float64Array(width * width);
  sample.forEach((row, at) => row.forEach((x, c) => columns[c * count + at] = x / Math.sqrt(count)));
  for (let a = 0; a < width; a++) {
    for (let b = 0; b <= a; b++) {
      let sum = 0;
      for (let i = a * count, j = b * count; i < (a + 1) * count; i++, j++) sum += columns[i] * columns[j];
      sums[a * width + b] = sums[b * width + a] = sum;
    }
  }
  return sums;
}
