/** Squared length of a vector. */
export function squaredLength(vector: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < vector.length; at++) sum += vector[at] ** 2;
  return sum;
}

/** Rounds after which the norm is taken as it is. */
const MOST_ROUNDS = 30;
const TOLERANCE = 1e-3;
/** What a start needs of it. */
const ROUGH_TOLERANCE = 0.01;
/** Of a matrix with several times as many rows the iteration starts on so many of them, and then needs few rounds on all. */
const SAMPLED_ROWS = 512, WORTH_SAMPLING = 4, MOST_ROUNDS_ON_ALL = 5;

/**
 * A lower bound on the largest singular value of a matrix, and the unit right vector that attains it: power
 * iteration on AᵀA from its largest row. Any vector gives a valid lower bound; the iteration makes it a close one.
 *
 * @param values Row-major, rows × columns.
 * @param tolerance It ends when a round adds no more than this share to the norm.
 */
export function lowerOperatorNorm(
  values: ArrayLike<number>,
  rows: number,
  columns: number,
  tolerance: number = TOLERANCE,
): { norm: number; direction: Float64Array } {
  const first = largestRow(values, rows, columns) * columns;
  const start = new Float64Array(columns);
  for (let c = 0; c < columns; c++) start[c] = values[first + c];
  if (!normalise(start)) return { norm: 0, direction: start };
  if (rows < WORTH_SAMPLING * SAMPLED_ROWS) {
    return iterate(values, rows, columns, 1, start, MOST_ROUNDS, tolerance);
  }
  const step = Math.floor(rows / SAMPLED_ROWS);
  const sampled = iterate(values, rows, columns, step, start, MOST_ROUNDS, ROUGH_TOLERANCE);
  // All sampled rows may be zero.
  const from = sampled.norm > 0 ? sampled.direction : start;
  return iterate(values, rows, columns, 1, from, MOST_ROUNDS_ON_ALL, tolerance);
}

/** Power iteration on every `step`-th row. */
function iterate(
  values: ArrayLike<number>,
  rows: number,
  columns: number,
  step: number,
  start: Float64Array,
  rounds: number,
  tolerance: number,
): { norm: number; direction: Float64Array } {
  let norm = 0, direction = start;
  for (let round = 0; round < rounds; round++) {
    const next = new Float64Array(columns);
    let squared = 0;
    for (let i = 0; i < rows; i += step) {
      const product = innerProduct(values, i * columns, direction);
      squared += product * product;
      for (let c = 0, at = i * columns; c < columns; c++, at++) next[c] += product * values[at];
    }
    const grown = Math.sqrt(squared);
    if (grown <= norm * (1 + tolerance)) return { norm: Math.max(norm, grown), direction };
    norm = grown;
    if (round === rounds - 1 || !normalise(next)) break;
    direction = next;
  }
  return { norm, direction };
}

/** Of a row with a vector, in four sums, none of which has to wait for another. */
function innerProduct(values: ArrayLike<number>, start: number, vector: Float64Array): number {
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

function largestRow(values: ArrayLike<number>, rows: number, columns: number): number {
  let largest = -1, found = 0;
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let c = 0; c < columns; c++) sum += values[i * columns + c] ** 2;
    if (sum > largest) [largest, found] = [sum, i];
  }
  return found;
}

/** Scales a vector to length 1; false if it is zero. */
function normalise(vector: Float64Array): boolean {
  const length = Math.sqrt(squaredLength(vector));
  if (!(length > 0)) return false;
  for (let at = 0; at < vector.length; at++) vector[at] /= length;
  return true;
}
