/**
 * Spectral norms of explicit matrices in float64. The matrices here are tall (queries × value features), so
 * the eigenvalues of the small Gram matrix are all that is needed.
 */
import { largestEigenvalue } from "./largest_eigenvalue.ts";

/**
 * Largest singular value of a matrix, ‖A‖_op, to about 14 digits: the root of the largest
 * eigenvalue of the smaller of AᵀA and AAᵀ, the matrix first scaled by its largest entry so that squares
 * neither overflow nor vanish.
 *
 * @example
 * ```ts
 * import { operatorNorm } from "./operator_norm.ts";
 * console.log(operatorNorm([3, 0, 0, -4], 2, 2)); // 4
 * ```
 *
 * @param values Row-major values, `rows` × `columns` of them.
 * @throws {TypeError} If there are not that many values.
 * @throws {RangeError} If a value is not finite.
 */
export function operatorNorm(values: ArrayLike<number>, rows: number, columns: number): number {
  if (values.length !== rows * columns) {
    throw new TypeError(
      `Cannot take the operator norm: ${rows} × ${columns} values are needed: current value is ${values.length}`,
    );
  }
  const largest = largestMagnitude(values, columns);
  if (largest === 0) return 0;
  const order = Math.min(rows, columns);
  const gram = rows >= columns
    ? gramOfColumns(values, rows, columns, largest)
    : gramOfRows(values, rows, columns, largest);
  return largest * Math.sqrt(largestEigenvalue(gram, order));
}

function largestMagnitude(values: ArrayLike<number>, columns: number): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    const magnitude = Math.abs(values[i]);
    if (!(magnitude < Infinity)) {
      throw new RangeError(
        `Cannot take the operator norm: value at [${Math.floor(i / columns)}, ${
          i % columns
        }] must be finite: ` +
          `current value is ${values[i]}`,
      );
    }
    if (magnitude > largest) largest = magnitude;
  }
  return largest;
}

/** AᵀA / scale², row by row of A so that a tall matrix is read once. */
function gramOfColumns(
  values: ArrayLike<number>,
  rows: number,
  columns: number,
  scale: number,
): Float64Array {
  const gram = new Float64Array(columns * columns), row = new Float64Array(columns);
  for (let i = 0; i < rows; i++) {
    for (let c = 0; c < columns; c++) row[c] = values[i * columns + c] / scale;
    for (let a = 0; a < columns; a++) {
      const factor = row[a];
      if (factor === 0) continue;
      for (let b = a; b < columns; b++) gram[a * columns + b] += factor * row[b];
    }
  }
  return mirror(gram, columns);
}

/** AAᵀ / scale². */
function gramOfRows(values: ArrayLike<number>, rows: number, columns: number, scale: number): Float64Array {
  const gram = new Float64Array(rows * rows);
  for (let a = 0; a < rows; a++) {
    for (let b = a; b < rows; b++) {
      let sum = 0;
      for (let c = 0; c < columns; c++) {
        sum += (values[a * columns + c] / scale) * (values[b * columns + c] / scale);
      }
      gram[a * rows + b] = sum;
    }
  }
  return mirror(gram, rows);
}

function mirror(gram: Float64Array, order: number): Float64Array {
  for (let a = 0; a < order; a++) {
    for (let b = 0; b < a; b++) gram[a * order + b] = gram[b * order + a];
  }
  return gram;
}
