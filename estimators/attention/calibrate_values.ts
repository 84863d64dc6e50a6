import { gramMatrix, multiplyFirstTransposed } from "../linear_algebra/matrix_product.ts";
import { solveRidge } from "../linear_algebra/ridge.ts";
import { coresetOutput } from "./coreset.ts";

/** In units of the mean diagonal of the Gram matrix. */
const RIDGE = 0.1;
/** Columns are scaled to one size, but none by more than this. */
const LEAST_COLUMN = 1e-3;

/**
 * The values of a coreset after ridge regression of what they leave of exact outputs: the correction, seen as a function
 * of the softmax row, is the smallest that explains the residuals up to noise. Nothing if leaving out one row at a
 * time shows that the correction does not help.
 *
 * @param rows [probes, size]: softmax rows over the coreset, of the queries to fit to.
 * @param value [size, width]: of the centred values.
 * @param output [probes, width]: exact attention of these queries to the centred values.
 * @param omega [probes]: how much each counts.
 */
export function calibrateValues(
  rows: Float64Array,
  value: Float64Array,
  output: Float64Array,
  omega: Float64Array,
): Float64Array | undefined {
  const probes = omega.length, size = rows.length / probes, width = value.length / size;
  const design = rows.slice(), residual = coresetOutput(rows, value, size), root = omega.map(Math.sqrt);
  for (let i = 0, at = 0; i < probes; i++) {
    for (let c = 0; c < width; c++, at++) residual[at] = root[i] * (output[at] - residual[at]);
  }
  const columnScale = scaleColumns(design, probes, size, root);
  const gram = gramMatrix(design, probes, size);
  let trace = 0;
  for (let i = 0; i < probes; i++) trace += gram[i * probes + i];
  const { dual, leftOut } = solveRidge(gram, probes, RIDGE * trace / probes, residual, width);
  if (!(sumOfSquares(leftOut) < sumOfSquares(residual))) return undefined;
  const correction = multiplyFirstTransposed(design, size, dual, probes, width);
  for (let s = 0, at = 0; s < size; s++) {
    for (let c = 0; c < width; c++, at++) {
      correction[at] = value[at] + correction[at] / columnScale[s];
    }
  }
  return correction;
}

/** Multiplies row i by root_i and divides columns by their root mean square, which is returned. */
function scaleColumns(design: Float64Array, rows: number, size: number, root: Float64Array): Float64Array {
  const columnScale = new Float64Array(size);
  for (let i = 0, at = 0; i < rows; i++) {
    for (let s = 0; s < size; s++, at++) columnScale[s] += (design[at] *= root[i]) ** 2;
  }
  let largest = 0;
  for (let s = 0; s < size; s++) {
    columnScale[s] = Math.sqrt(columnScale[s] / rows);
    largest = Math.max(largest, columnScale[s]);
  }
  for (let s = 0; s < size; s++) columnScale[s] = Math.max(columnScale[s], LEAST_COLUMN * largest);
  for (let i = 0, at = 0; i < rows; i++) for (let s = 0; s < size; s++, at++) design[at] /= columnScale[s];
  return columnScale;
}

function sumOfSquares(values: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += values[at] * values[at];
  return sum;
}
