/**
 * Ridge regression in its dual form, for fewer observations than features: with Gram matrix G of the observations
 * the fitted values are G (G + ridge·I)⁻¹ T. All in float64, row-major.
 */

import { multiply, multiplyFirstTransposed } from "./matrix_product.ts";

/** A dual solution and what leaving out one observation at a time would have left. */
export interface RidgeSolution {
  /** (G + ridge·I)⁻¹ T, [count, columns] */
  readonly dual: Float64Array;
  /** Residual of each observation predicted from all others, dual_i / ((G + ridge·I)⁻¹)_ii: [count, columns] */
  readonly leftOut: Float64Array;
}

/**
 * Solves (G + ridge·I) X = T by Cholesky factorisation, with the leave-one-out residuals in closed form (Allen 1974;
 * Golub, Heath and Wahba 1979).
 *
 * @param gram Symmetric positive semidefinite, count × count.
 * @param targets [count, columns]
 * @param ridge Positive.
 */
export function solveRidge(
  gram: Float64Array,
  count: number,
  ridge: number,
  targets: Float64Array,
  columns: number,
): RidgeSolution {
  const inverse = invertTriangle(factor(gram, count, ridge), count), diagonal = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) diagonal[j] += inverse[i * count + j] ** 2;
  }
  const half = multiply(inverse, count, targets, count, columns);
  const dual = multiplyFirstTransposed(inverse, count, half, count, columns);
  const leftOut = new Float64Array(count * columns);
  for (let i = 0, at = 0; i < count; i++) {
    for (let c = 0; c < columns; c++, at++) leftOut[at] = dual[at] / diagonal[i];
  }
  return { dual, leftOut };
}

/** Lower triangle L with L Lᵀ = gram + ridge·I. */
function factor(gram: Float64Array, count: number, ridge: number): Float64Array {
  const lower = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) {
      const rest = gram[i * count + j] - innerProduct(lower, i * count, j * count, j);
      lower[i * count + j] = rest / lower[j * count + j];
    }
    const rest = gram[i * count + i] + ridge - innerProduct(lower, i * count, i * count, i);
    // Rounding may leave a pivot of a nearly singular matrix at or below zero; the ridge is its true size there.
    lower[i * count + i] = Math.sqrt(Math.max(rest, ridge * 2 ** -26));
  }
  return lower;
}

/** Inner product of two runs of an array, in four sums, since one alone waits for itself. */
function innerProduct(a: Float64Array, p: number, q: number, length: number): number {
  let w = 0, x = 0, y = 0, z = 0, k = 0;
  for (; k + 4 <= length; k += 4) {
    w += a[p + k] * a[q + k];
    x += a[p + k + 1] * a[q + k + 1];
    y += a[p + k + 2] * a[q + k + 2];
    z += a[p + k + 3] * a[q + k + 3];
  }
  for (; k < length; k++) w += a[p + k] * a[q + k];
  return (w + x) + (y + z);
}

/** Inverse of a lower triangle, row by row: four earlier rows at a time, since a sum in memory waits for itself. */
function invertTriangle(lower: Float64Array, count: number): Float64Array {
  const inverse = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    const row = i * count, pivot = 1 / lower[row + i];
    let k = 0;
    for (; k + 4 <= i; k += 4) {
      const from = k * count, w = lower[row + k], x = lower[row + k + 1];
      const y = lower[row + k + 2], z = lower[row + k + 3];
      for (let j = 0; j <= k + 3; j++) {
        inverse[row + j] -= (w * inverse[from + j] + x * inverse[from + count + j]) +
          (y * inverse[from + 2 * count + j] + z * inverse[from + 3 * count + j]);
      }
    }
    for (; k < i; k++) {
      for (let j = 0; j <= k; j++) inverse[row + j] -= lower[row + k] * inverse[k * count + j];
    }
    for (let j = 0; j < i; j++) inverse[row + j] *= pivot;
    inverse[row + i] = pivot;
  }
  return inverse;
}
