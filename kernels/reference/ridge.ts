/**
 * Ridge regression in its dual form, for fewer observations than features: with Gram matrix G of the observations
 * the fitted values are G (G + ridge·I)⁻¹ T. All in float64, row-major.
 */

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
  const inverse = invertTriangle(factor(gram, count, ridge), count);
  const diagonal = new Float64Array(count), half = new Float64Array(count * columns);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) {
      const entry = inverse[i * count + j];
      diagonal[j] += entry * entry;
      for (let c = 0; c < columns; c++) half[i * columns + c] += entry * targets[j * columns + c];
    }
  }
  const dual = new Float64Array(count * columns), leftOut = new Float64Array(count * columns);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) {
      const entry = inverse[i * count + j];
      for (let c = 0; c < columns; c++) dual[j * columns + c] += entry * half[i * columns + c];
    }
  }
  for (let i = 0, at = 0; i < count; i++) {
    for (let c = 0; c < columns; c++, at++) leftOut[at] = dual[at] / diagonal[i];
  }
  return { dual, leftOut };
}

/** Lower triangle L with L Lᵀ = gram + ridge·I. */
function factor(gram: Float64Array, count: number, ridge: number): Float64Array {
  const lower = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = gram[i * count + j] + (i === j ? ridge : 0);
      for (let k = 0; k < j; k++) rest -= lower[i * count + k] * lower[j * count + k];
      // Rounding may leave a pivot of a nearly singular matrix at or below zero; the ridge is its true size there.
      lower[i * count + j] = i === j
        ? Math.sqrt(Math.max(rest, ridge * 2 ** -26))
        : rest / lower[j * count + j];
    }
  }
  return lower;
}

/** Inverse of a lower triangle, row by row. */
function invertTriangle(lower: Float64Array, count: number): Float64Array {
  const inverse = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    const pivot = 1 / lower[i * count + i];
    for (let k = 0; k < i; k++) {
      const entry = -pivot * lower[i * count + k];
      for (let j = 0; j <= k; j++) inverse[i * count + j] += entry * inverse[k * count + j];
    }
    inverse[i * count + i] = pivot;
  }
  return inverse;
}
