import { operatorNorm } from "../../estimators/linear_algebra/operator_norm.ts";
import { squaredLength } from "../../estimators/linear_algebra/lower_operator_norm.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";

/** Relative residual at which the iteration ends. */
const TOLERANCE = 1e-6;
const MOST_ROUNDS = 300;

/** Up to this order the eigenvalues of the Gram matrix are computed where the iteration has not ended. */
const MOST_DENSE = 512;

/**
 * Largest singular value of a matrix in float64, from below, by power iteration on AᵀA from a random vector, always the same
 * one, to which no singular vector is at right angles but by a miracle. It ends when ‖AᵀA x − λx‖ <= 1e-6 λ for the Rayleigh
 * quotient λ, so that some squared singular value is that close. Where many lie close together that takes too many rounds:
 * matrices of at most 512 rows or columns are then decomposed, which is right to about 14 digits, and of larger ones the result
 * is a lower bound and no more: an error divided by it is overstated, never understated. The even vector helps a softmax matrix,
 * which maps it to itself.
 *
 * @param values Row-major, rows × columns.
 */
export function largestSingularValue(values: ArrayLike<number>, rows: number, columns: number): number {
  const random = new RandomStream(columns, Purpose.singularVector);
  let direction = Float64Array.from({ length: columns }, () => random.normal());
  let quotient = 0, settled = false;
  for (let round = 0; round < MOST_ROUNDS && !settled; round++) {
    const length = Math.sqrt(squaredLength(direction));
    // Nothing is left of a start that a matrix of zeros maps to 0.
    if (length === 0) return 0;
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
    settled = Math.sqrt(residual) <= TOLERANCE * quotient;
    direction = image;
  }
  if (!settled && Math.min(rows, columns) <= MOST_DENSE) return operatorNorm(values, rows, columns);
  return Math.sqrt(Math.max(quotient, evenQuotient(values, rows, columns)));
}

/** ‖A 1‖²/‖1‖², from below like every Rayleigh quotient. */
function evenQuotient(values: ArrayLike<number>, rows: number, columns: number): number {
  let sum = 0;
  for (let i = 0; i < rows; i++) {
    let row = 0;
    for (let c = 0; c < columns; c++) row += values[i * columns + c];
    sum += row * row;
  }
  return sum / columns;
}
