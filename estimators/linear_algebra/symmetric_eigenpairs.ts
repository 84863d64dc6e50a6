/** Sweeps after which a matrix is as diagonal as rounding lets it be: convergence is quadratic. */
const MOST_SWEEPS = 30;

/** Eigenvalues, the largest first, and unit eigenvectors as rows. */
export interface Eigenpairs {
  readonly values: Float64Array;
  /** [order, order] */
  readonly vectors: Float64Array;
}

/**
 * All eigenpairs of a small symmetric matrix, by cyclic Jacobi rotations (Golub and Van Loan, Matrix Computations, §8.5.3).
 *
 * @param matrix Row-major, `order` × `order`, finite; left as it is.
 */
export function symmetricEigenpairs(matrix: Float64Array, order: number): Eigenpairs {
  const a = matrix.slice(), vectors = new Float64Array(order * order);
  for (let i = 0; i < order; i++) vectors[i * order + i] = 1;
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    let rotated = false;
    for (let p = 0; p < order; p++) {
      for (let q = p + 1; q < order; q++) rotated = rotate(a, vectors, order, p, q) || rotated;
    }
    if (!rotated) break;
  }
  const found = Float64Array.from({ length: order }, (_, i) => a[i * order + i]);
  const rank = Array.from(found.keys()).sort((i, j) => found[j] - found[i]);
  const sorted = new Float64Array(order * order);
  rank.forEach((i, at) => sorted.set(vectors.subarray(i * order, (i + 1) * order), at * order));
  return { values: Float64Array.from(rank, (i) => found[i]), vectors: sorted };
}

/** Makes the entry (p, q) zero, unless it is nothing beside the diagonal; says whether it had to. */
function rotate(a: Float64Array, vectors: Float64Array, order: number, p: number, q: number): boolean {
  const off = a[p * order + q], first = a[p * order + p], last = a[q * order + q];
  if (Math.abs(off) <= 2 ** -53 * Math.sqrt(Math.abs(first * last)) || off === 0) return false;
  const tau = (last - first) / (2 * off);
  const tangent = tau === 0 ? 1 : Math.sign(tau) / (Math.abs(tau) + Math.hypot(1, tau));
  const cosine = 1 / Math.hypot(1, tangent), sine = tangent * cosine;
  for (let k = 0; k < order; k++) {
    const x = a[k * order + p], y = a[k * order + q];
    a[k * order + p] = cosine * x - sine * y;
    a[k * order + q] = sine * x + cosine * y;
  }
  turnRows(a, order, p, q, cosine, sine);
  turnRows(vectors, order, p, q, cosine, sine);
  // Rounding leaves a trace of what is zero by construction.
  a[p * order + q] = a[q * order + p] = 0;
  return true;
}

function turnRows(a: Float64Array, order: number, p: number, q: number, cosine: number, sine: number): void {
  for (let k = 0; k < order; k++) {
    const x = a[p * order + k], y = a[q * order + k];
    a[p * order + k] = cosine * x - sine * y;
    a[q * order + k] = sine * x + cosine * y;
  }
}
