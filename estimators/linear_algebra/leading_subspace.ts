import { rowProducts } from "./row_products.ts";

/** Steps of simultaneous iteration: directions that it mixes have eigenvalues so close that any of them does. */
export const STEPS = 6;

/**
 * About the eigenvectors of the largest eigenvalues, by simultaneous iteration (Rutishauser 1969): orthonormal rows, the first nearest to the
 * leading ones. The start is always the same, so that the same matrix gives the same result.
 *
 * @param matrix [size, size], symmetric and positive semidefinite.
 * @param count How many; no more than size.
 * @param steps Fewer do where the matrix is a power of the one that is meant.
 * @returns [count, size]
 */
export function leadingSubspace(
  matrix: Float64Array,
  size: number,
  count: number,
  steps = STEPS,
): Float64Array {
  // A linear congruential generator (Knuth 1981): numbers in a regular pattern would be orthogonal to regular vectors.
  let word = 1;
  const start = Float64Array.from({ length: count * size }, () => {
    word = Math.imul(word, 1664525) + 1013904223 | 0;
    return word / 2 ** 31;
  });
  let vectors = orthonormal(start, start, size, count);
  for (let step = 0; step < steps; step++) {
    vectors = orthonormal(rowProducts(vectors, matrix, size), vectors, size, count);
  }
  return vectors;
}

/** Gram and Schmidt's, twice; a row that is left with nothing stays what it was, or the next unit vector, less the rows before it. */
function orthonormal(
  rows: Float64Array,
  before: Float64Array,
  size: number,
  count: number,
): Float64Array<ArrayBuffer> {
  const result = new Float64Array(count * size);
  for (let i = 0; i < count; i++) {
    const candidates = [rows.subarray(i * size, (i + 1) * size), before.subarray(i * size, (i + 1) * size)];
    for (let next = 0; next < size + 2; next++) {
      const row = candidates[next]?.slice() ?? unitVector(next - 2, size), length = norm(row);
      for (let pass = 0; pass < 2; pass++) {
        for (let j = 0; j < i; j++) {
          let product = 0;
          for (let t = 0; t < size; t++) product += row[t] * result[j * size + t];
          for (let t = 0; t < size; t++) row[t] -= product * result[j * size + t];
        }
      }
      const left = norm(row);
      if (!(left > 1e-8 * length)) continue;
      for (let t = 0; t < size; t++) result[i * size + t] = row[t] / left;
      break;
    }
  }
  return result;
}

function unitVector(at: number, size: number): Float64Array {
  const vector = new Float64Array(size);
  vector[at] = 1;
  return vector;
}

function norm(row: Float64Array): number {
  let squares = 0;
  for (let at = 0; at < row.length; at++) squares += row[at] * row[at];
  return Math.sqrt(squares);
}
