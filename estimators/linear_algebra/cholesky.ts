/** Of the largest diagonal element, what is added to all of them, 1 where it is 0: matrices of less than full rank have a factor, too. */
const RIDGE = 1e-6;

/**
 * The lower triangular L with L Lᵀ = matrix + a small ridge.
 *
 * @param matrix [size, size], positive semidefinite.
 * @returns [size, size]
 */
export function cholesky(matrix: Float64Array, size: number): Float64Array {
  const root = new Float64Array(size * size);
  let largest = 0;
  for (let i = 0; i < size; i++) largest = Math.max(largest, matrix[i * size + i]);
  const ridge = RIDGE * largest || 1;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = matrix[i * size + j] + (i === j ? ridge : 0);
      for (let t = 0; t < j; t++) rest -= root[i * size + t] * root[j * size + t];
      root[i * size + j] = i === j ? Math.sqrt(Math.max(rest, ridge)) : rest / root[j * size + j];
    }
  }
  return root;
}

/** The x with L x = right, L from {@link cholesky}. */
export function solve(root: Float64Array, right: Float64Array, size: number): Float64Array {
  const x = right.slice();
  for (let i = 0; i < size; i++) {
    let rest = x[i];
    for (let t = 0; t < i; t++) rest -= root[i * size + t] * x[t];
    x[i] = rest / root[i * size + i];
  }
  return x;
}

/** The x with Lᵀ x = right, L from {@link cholesky}. */
export function solveTransposed(root: Float64Array, right: Float64Array, size: number): Float64Array {
  const x = right.slice();
  for (let i = size - 1; i >= 0; i--) {
    x[i] /= root[i * size + i];
    for (let t = 0; t < i; t++) x[t] -= root[i * size + t] * x[i];
  }
  return x;
}
