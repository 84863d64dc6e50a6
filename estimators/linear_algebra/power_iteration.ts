/** Squared length of a vector. */
export function squaredLength(vector: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < vector.length; at++) sum += vector[at] ** 2;
  return sum;
}

/** Rounds after which the norm is taken as it is. */
const MOST_ROUNDS = 30;
const TOLERANCE = 1e-3;

/**
 * A lower bound on the largest singular value of a matrix, and the unit right vector that attains it: power
 * iteration on AᵀA from its largest row. Any vector gives a valid lower bound; the iteration makes it a close one.
 *
 * @param values Row-major, rows × columns.
 */
export function lowerOperatorNorm(
  values: ArrayLike<number>,
  rows: number,
  columns: number,
): { norm: number; direction: Float64Array } {
  const first = largestRow(values, rows, columns) * columns;
  let direction: Float64Array = Float64Array.from({ length: columns }, (_, c) => values[first + c]);
  if (!normalise(direction)) return { norm: 0, direction };
  let norm = 0;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const next = new Float64Array(columns);
    let squared = 0;
    for (let i = 0; i < rows; i++) {
      let product = 0;
      for (let c = 0, at = i * columns; c < columns; c++, at++) product += values[at] * direction[c];
      squared += product * product;
      for (let c = 0, at = i * columns; c < columns; c++, at++) next[c] += product * values[at];
    }
    const grown = Math.sqrt(squared);
    if (grown <= norm * (1 + TOLERANCE)) return { norm: Math.max(norm, grown), direction };
    norm = grown;
    if (round === MOST_ROUNDS - 1 || !normalise(next)) break;
    direction = next;
  }
  return { norm, direction };
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
