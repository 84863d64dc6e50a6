import { AssertionError } from "@std/assert";

/** Largest |a − b|; Infinity if anything is not finite or lengths differ. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let largest = 0;
  for (let at = 0; at < a.length; at++) {
    const difference = Math.abs(a[at] - b[at]);
    if (!(difference <= largest)) largest = Number.isFinite(difference) ? difference : Infinity;
  }
  return largest;
}

/** Sum of the values. */
export function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += values[at];
  return sum;
}

/** ‖a − exact‖/‖exact‖. */
export function relativeError(a: ArrayLike<number>, exact: ArrayLike<number>): number {
  let error = 0, size = 0;
  for (let at = 0; at < exact.length; at++) {
    error += (a[at] - exact[at]) ** 2;
    size += exact[at] ** 2;
  }
  return Math.sqrt(error / size);
}

/** Terms that {@link sumInBlocks} adds one after another. */
const BLOCK = 32;

/**
 * Sum of a range of terms as numerical libraries sum, every sum rounded to f32: blocks of {@link BLOCK} terms, and these
 * pairwise (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., §4.2), so that rounding hardly grows with the
 * number of terms.
 */
export function sumInBlocks(term: (at: number) => number, end: number, start = 0): number {
  if (end - start > BLOCK) {
    const middle = start + BLOCK * Math.ceil((end - start) / BLOCK / 2);
    return Math.fround(sumInBlocks(term, middle, start) + sumInBlocks(term, end, middle));
  }
  let sum = 0;
  for (let at = start; at < end; at++) sum = Math.fround(sum + term(at));
  return sum;
}

/** Largest magnitude of the values. */
export function largestMagnitude(values: ArrayLike<number>): number {
  let largest = 0;
  for (let at = 0; at < values.length; at++) largest = Math.max(largest, Math.abs(values[at]));
  return largest;
}

/**
 * The precision rule: error at most twice that of the plain f32 formula, both against float64. One f32 unit in the
 * last place of the largest value is always allowed, since the answer itself is rounded to f32.
 */
export function assertPrecise(
  actual: ArrayLike<number>,
  plain: ArrayLike<number>,
  exact: ArrayLike<number>,
  what: string,
): void {
  const error = largestDifference(actual, exact), allowed = 2 * largestDifference(plain, exact);
  const unit = largestMagnitude(exact) * 2 ** -23;
  if (!(error <= allowed + unit)) {
    throw new AssertionError({
      message:
        `${what}: error ${error} exceeds twice the plain formula's, ${allowed}, plus one unit, ${unit}`,
    });
  }
}
