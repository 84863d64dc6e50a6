import { scatteredPlaces } from "./scattered_places.ts";

/** Squared length of a vector. */
export function squaredLength(vector: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < vector.length; at++) sum += vector[at] * vector[at];
  return sum;
}

/** Passes over the matrix after which the norm is taken as it is. */
const MOST_PASSES = 16, MOST_PASSES_OVER_SAMPLE = 8;
const TOLERANCE = 1e-3;
/** What a start needs of it. */
const ROUGH_TOLERANCE = 0.01;
/** Of a matrix with several times as many rows the iteration starts on so many of them, and then needs few passes over all. */
const SAMPLED_ROWS = 512, WORTH_SAMPLING = 4, MOST_PASSES_OVER_ALL = 3;

/**
 * A lower bound on the largest singular value of a matrix, and the unit right vector that attains it: Lanczos' iteration on AᵀA
 * from the largest row of A (Golub and Van Loan, Matrix Computations, §10.1). Any vector gives a valid lower bound; the
 * iteration makes it a close one.
 *
 * @param values Row-major, rows × columns.
 * @param tolerance It ends when another step would add no more than about this share to the norm.
 */
export function lowerOperatorNorm(
  values: Float32Array | Float64Array,
  rows: number,
  columns: number,
  tolerance: number = TOLERANCE,
): { norm: number; direction: Float64Array } {
  const start = largestRow(values, rows, columns);
  if (normalise(start) === 0) return { norm: 0, direction: start };
  if (rows < WORTH_SAMPLING * SAMPLED_ROWS) {
    return iterate(values, rows, columns, start, MOST_PASSES, tolerance);
  }
  // Of the same kind as the whole: loops that have seen two kinds of arrays are slower on both.
  const places = scatteredPlaces(rows, SAMPLED_ROWS), some = values.slice(0, SAMPLED_ROWS * columns);
  places.forEach((row, at) => some.set(values.subarray(row * columns, (row + 1) * columns), at * columns));
  const sampled = iterate(some, SAMPLED_ROWS, columns, start, MOST_PASSES_OVER_SAMPLE, ROUGH_TOLERANCE);
  // All sampled rows may be zero.
  const from = sampled.norm > 0 ? sampled.direction : start;
  return iterate(values, rows, columns, from, MOST_PASSES_OVER_ALL, tolerance);
}

/** Lanczos' iteration. */
function iterate(
  values: Float32Array | Float64Array,
  rows: number,
  columns: number,
  start: Float64Array,
  passes: number,
  tolerance: number,
): { norm: number; direction: Float64Array } {
  const basis: Float64Array[] = [], diagonal: number[] = [], beside: number[] = [];
  let next = start;
  for (;;) {
    basis.push(next);
    next = imageOf(values, rows, columns, next);
    diagonal.push(productOf(next, basis.at(-1)!));
    // Against all vectors before, twice: what rounding leaves of them would come back.
    for (let pass = 0; pass < 2; pass++) for (const vector of basis) subtractComponent(next, vector);
    const left = normalise(next), { value, vector } = leadingPair(diagonal, beside);
    const residual = left * Math.abs(vector.at(-1)!);
    const grows = Math.hypot(value, residual) > value * (1 + tolerance / 2);
    if (value > 0 && grows && basis.length < Math.min(passes, columns)) {
      beside.push(left);
      continue;
    }
    const direction = new Float64Array(columns);
    basis.forEach((own, at) => own.forEach((x, c) => direction[c] += vector[at] * x));
    normalise(direction);
    return { norm: Math.sqrt(Math.max(0, value)), direction };
  }
}

/** AᵀA x, two rows at a time: the image is read and written half as often. */
function imageOf(
  values: Float32Array | Float64Array,
  rows: number,
  columns: number,
  vector: Float64Array,
): Float64Array {
  const image = new Float64Array(columns);
  let i = 0;
  for (; i + 1 < rows; i += 2) {
    const one = i * columns, other = one + columns;
    const a = rowProduct(values, one, vector), b = rowProduct(values, other, vector);
    for (let c = 0; c < columns; c++) image[c] += a * values[one + c] + b * values[other + c];
  }
  if (i < rows) {
    const product = rowProduct(values, i * columns, vector);
    for (let c = 0, at = i * columns; c < columns; c++, at++) image[c] += product * values[at];
  }
  return image;
}

function subtractComponent(from: Float64Array, unit: Float64Array): void {
  const product = productOf(from, unit);
  for (let c = 0; c < from.length; c++) from[c] -= product * unit[c];
}

/** Steps on a tridiagonal matrix of a few rows. */
const SMALL_STEPS = 40;

/** About the leading eigenvector of a small tridiagonal matrix, of unit length, and its Rayleigh quotient. */
function leadingPair(
  diagonal: readonly number[],
  beside: readonly number[],
): { value: number; vector: Float64Array } {
  const size = diagonal.length;
  let vector = new Float64Array(size).fill(1 / Math.sqrt(size)), image = new Float64Array(size);
  for (let step = 0;; step++) {
    for (let at = 0; at < size; at++) {
      image[at] = diagonal[at] * vector[at];
      if (at > 0) image[at] += beside[at - 1] * vector[at - 1];
      if (at < size - 1) image[at] += beside[at] * vector[at + 1];
    }
    const value = productOf(image, vector);
    if (step === SMALL_STEPS || normalise(image) === 0) return { value, vector };
    [vector, image] = [image, vector];
  }
}

function productOf(a: Float64Array, b: Float64Array): number {
  const even = a.length - a.length % 2;
  let sum = 0, other = 0;
  for (let at = 0; at < even; at += 2) {
    sum += a[at] * b[at];
    other += a[at + 1] * b[at + 1];
  }
  return even < a.length ? sum + other + a[even] * b[even] : sum + other;
}

/**
 * Of a row with a vector, in four sums, none of which has to wait for another. Apart from `productOf`, since engines compile
 * a loop for the one kind of array that it has seen.
 */
function rowProduct(values: Float32Array | Float64Array, start: number, vector: Float64Array): number {
  const whole = vector.length - vector.length % 4;
  let a = 0, b = 0, c = 0, d = 0;
  for (let i = 0, at = start; i < whole; i += 4, at += 4) {
    a += values[at] * vector[i];
    b += values[at + 1] * vector[i + 1];
    c += values[at + 2] * vector[i + 2];
    d += values[at + 3] * vector[i + 3];
  }
  for (let i = whole; i < vector.length; i++) a += values[start + i] * vector[i];
  return (a + b) + (c + d);
}

function largestRow(values: Float32Array | Float64Array, rows: number, columns: number): Float64Array {
  let largest = -1, found = 0;
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let c = 0, at = i * columns; c < columns; c++, at++) sum += values[at] * values[at];
    if (sum > largest) [largest, found] = [sum, i];
  }
  return Float64Array.from({ length: columns }, (_, c) => values[found * columns + c]);
}

/** Scales a vector to length 1, if it is not zero; returns its length. */
function normalise(vector: Float64Array): number {
  const length = Math.sqrt(squaredLength(vector));
  if (length > 0) { for (let at = 0; at < vector.length; at++) vector[at] /= length; }
  return length;
}
