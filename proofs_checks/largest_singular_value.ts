import { squaredLength } from "../estimators/linear_algebra/power_iteration.ts";

/** Relative residual at which the iteration ends. */
const TOLERANCE = 1e-6;
const MOST_ROUNDS = 300;

/**
 * Largest singular value of a matrix in float64 by power iteration on AᵀA, with its residual checked: it ends when
 * ‖AᵀA x − λx‖ <= 1e-6 λ for the Rayleigh quotient λ, so that some squared singular value is that close. Approached from
 * below, and started from a vector with no zero entries, so that no singular vector without a negative entry is missed.
 *
 * @param values Row-major, rows × columns.
 */
export function largestSingularValue(values: ArrayLike<number>, rows: number, columns: number): number {
  let direction = new Float64Array(columns);
  // Column sums of squares favour what is heavy; the even part keeps every other direction in.
  for (let at = 0; at < values.length; at++) direction[at % columns] += values[at] ** 2;
  const most = direction.reduce((a, b) => Math.max(a, b), 0);
  if (most === 0) return 0;
  direction = direction.map((x) => Math.sqrt(x / most) + 0.1);
  let quotient = 0;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const length = Math.sqrt(squaredLength(direction));
    direction = direction.map((x) => x / length);
    const image = new Float64Array(columns);
    quotient = 0;
    for (let i = 0; i < rows; i++) {
      let product = 0;
      for (let c = 0, at = i * columns; c < columns; c++, at++) product += values[at] * direction[c];
      quotient += product * product;
      for (let c = 0, at = i * columns; c < columns; c++, at++) image[c] += product * values[at];
    }
    let residual = 0;
    for (let c = 0; c < columns; c++) residual += (image[c] - quotient * direction[c]) ** 2;
    if (Math.sqrt(residual) <= TOLERANCE * quotient) break;
    direction = image;
  }
  return Math.sqrt(quotient);
}
