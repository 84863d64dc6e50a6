import { gramMatrix, multiply, transpose } from "../linear_algebra/matrix_product.ts";
import { solveRidge } from "../linear_algebra/ridge.ts";
import { type ClusterCoreset, coresetOutput, coresetRows, type ProbedHead } from "./coreset.ts";

/** In units of the mean diagonal of the Gram matrix. */
const RIDGE = 0.1;
/** Columns are scaled to one size, but none by more than this. */
const LEAST_COLUMN = 1e-3;

/**
 * The values of a coreset after ridge regression of what they leave of the exact outputs of the first omega.length
 * probes: the correction, seen as a function of the softmax row, is the smallest that explains the residuals up to
 * noise. Nothing if leaving out one probe at a time shows that the correction does not help.
 */
export function calibrateValues(
  head: ProbedHead,
  coreset: ClusterCoreset,
  omega: Float64Array,
): Float64Array | undefined {
  const { size, value } = coreset, { valueFeatures, scale, output } = head;
  const rows = omega.length;
  const design = coresetRows(coreset.products, coreset, scale);
  const residual = coresetOutput(design, rows, coreset);
  const root = omega.map(Math.sqrt);
  for (let i = 0, at = 0; i < rows; i++) {
    for (let c = 0; c < valueFeatures; c++, at++) residual[at] = root[i] * (output[at] - residual[at]);
  }
  const columnScale = scaleColumns(design, rows, size, root);
  const gram = gramMatrix(design, rows, size);
  let trace = 0;
  for (let i = 0; i < rows; i++) trace += gram[i * rows + i];
  const { dual, leftOut } = solveRidge(gram, rows, RIDGE * trace / rows, residual, valueFeatures);
  if (!(sumOfSquares(leftOut) < sumOfSquares(residual))) return undefined;
  const correction = multiply(transpose(design, rows, size), size, dual, rows, valueFeatures);
  for (let s = 0, at = 0; s < size; s++) {
    for (let c = 0; c < valueFeatures; c++, at++) {
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
