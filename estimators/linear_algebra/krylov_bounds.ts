import type { BlockKrylov } from "./block_krylov.ts";
import { largestEigenvalue } from "./largest_eigenvalue.ts";

/**
 * What the largest eigenvalue does not exceed but with probability delta over the start: with k steps from a random vector of n normal
 * deviates its Ritz value is below λ₁/cosh²(s) only if the vector's part along the top eigenvector is below 1/cosh((2k − 1)s) of its length
 * (from the Chebyshev polynomial U_{2k−2}(√t)), which has a probability of at most √(2n/π)/cosh((2k − 1)s). A block of several such vectors
 * fails only if each of them does. After Kuczyński and Woźniakowski 1992; the proof is in docs/theory.md §7.1.
 *
 * @param starts How many independent random vectors the iteration started from; others beside them do no harm.
 */
export function randomStartBound(krylov: BlockKrylov, length: number, starts: number, delta: number): number {
  const [value] = krylov.values, share = delta ** (1 / starts) / Math.sqrt(2 * length / Math.PI);
  if (length === 1) return value;
  return value * Math.cosh(Math.acosh(1 / share) / (2 * krylov.steps - 1)) ** 2;
}

/**
 * What the largest eigenvalue does not exceed at all: outside the space no eigenvalue is larger than the trace that is left, and what
 * couples the two parts is known. Good where few eigenvalues make up the trace.
 *
 * @param trace Of the whole matrix.
 */
export function traceBound(krylov: BlockKrylov, trace: number): number {
  const left = Math.max(0, trace - krylov.trace), { leaving, values: [value] } = krylov;
  return largestEigenvalue(Float64Array.of(value, leaving, leaving, left), 2);
}

/**
 * What the largest eigenvalue of a matrix without negative entries does not exceed at all: the largest ratio of a vector's image to the vector
 * (Collatz 1942; Wielandt 1950).
 *
 * @param vector Of positive entries.
 */
export function ratioBound(vector: Float64Array, image: Float64Array): number {
  return image.reduce((largest, x, at) => Math.max(largest, x / vector[at]), 0);
}
