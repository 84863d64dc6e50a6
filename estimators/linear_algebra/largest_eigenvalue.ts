/**
 * Largest eigenvalue of a symmetric matrix: Householder reduction to tridiagonal form, then bisection on the
 * Sturm sequence (Golub and Van Loan, Matrix Computations, §8.3.1 and §8.4.1). Backward stable whatever the
 * spectrum; unlike power iteration it depends neither on a gap nor on a lucky start.
 *
 * @param matrix Row-major, `order` × `order`, finite; overwritten.
 * @returns The eigenvalue to within a few units of rounding of the matrix's norm.
 */
export function largestEigenvalue(matrix: Float64Array, order: number): number {
  const { diagonal, offDiagonal } = tridiagonalise(matrix, order);
  let low = -Infinity, high = -Infinity;
  for (let i = 0; i < order; i++) {
    // The largest eigenvalue lies above every diagonal entry and inside Gershgorin's discs.
    const radius = Math.abs(offDiagonal[i - 1] ?? 0) + Math.abs(offDiagonal[i] ?? 0);
    low = Math.max(low, diagonal[i]);
    high = Math.max(high, diagonal[i] + radius);
  }
  for (;;) {
    const middle = low + (high - low) / 2;
    if (!(middle > low && middle < high)) return middle;
    if (allBelow(diagonal, offDiagonal, middle)) high = middle;
    else low = middle;
  }
}

/** Squares below this share of the largest one are taken for 0: far below rounding, far above underflow. */
const NEGLIGIBLE = 2 ** -200;

/** Reflects each column onto its first two entries below the diagonal, from both sides. */
function tridiagonalise(
  matrix: Float64Array,
  order: number,
): { diagonal: Float64Array; offDiagonal: Float64Array } {
  const diagonal = new Float64Array(order), offDiagonal = new Float64Array(Math.max(0, order - 1));
  const vector = new Float64Array(order), product = new Float64Array(order);
  const scale = matrix.reduce((most, x) => Math.max(most, x * x), 0);
  for (let k = 0; k < order; k++) {
    diagonal[k] = matrix[k * order + k];
    if (k === order - 1) break;
    let below = 0;
    for (let i = k + 1; i < order; i++) {
      vector[i] = matrix[i * order + k];
      if (i > k + 1) below += vector[i] ** 2;
    }
    const first = vector[k + 1];
    // Squares near underflow have no digits left to reflect by.
    if (below <= NEGLIGIBLE * scale) {
      offDiagonal[k] = first;
      continue;
    }
    // The sign keeps vector[k + 1] = first − image free of cancellation.
    const image = first > 0 ? -Math.sqrt(first ** 2 + below) : Math.sqrt(first ** 2 + below);
    offDiagonal[k] = image;
    vector[k + 1] = first - image;
    reflect(matrix, order, k + 1, vector, product, 2 / (vector[k + 1] ** 2 + below));
  }
  return { diagonal, offDiagonal };
}

/** A <- HAH on the trailing block, H = I − factor·v·vᵀ, as the rank-2 update A − v·wᵀ − w·vᵀ. */
function reflect(
  matrix: Float64Array,
  order: number,
  start: number,
  vector: Float64Array,
  product: Float64Array,
  factor: number,
): void {
  let inner = 0;
  for (let i = start; i < order; i++) {
    let sum = 0;
    for (let j = start; j < order; j++) sum += matrix[i * order + j] * vector[j];
    product[i] = factor * sum;
    inner += vector[i] * product[i];
  }
  for (let i = start; i < order; i++) product[i] -= (factor / 2) * inner * vector[i];
  for (let i = start; i < order; i++) {
    const v = vector[i], w = product[i];
    for (let j = start; j < order; j++) matrix[i * order + j] -= v * product[j] + w * vector[j];
  }
}

/** Whether every eigenvalue lies below x: all pivots of T − xI are negative (Sylvester's law of inertia). */
function allBelow(diagonal: Float64Array, offDiagonal: Float64Array, x: number): boolean {
  let pivot = -1;
  for (let i = 0; i < diagonal.length; i++) {
    const coupling = i === 0 ? 0 : offDiagonal[i - 1] ** 2 / pivot;
    pivot = diagonal[i] - x - coupling;
    if (pivot >= 0) return false;
  }
  return true;
}
