import { multiply } from "../linear_algebra/matrix_product.ts";

/** Softmax rows over the first `size` of `most` points, of logits [rows, most]: [rows, size]. */
export function coresetRows(logits: Float32Array, most: number, size: number): Float64Array {
  const rows = logits.length / most, probabilities = new Float64Array(rows * size);
  for (let i = 0; i < rows; i++) {
    const from = i * most, to = i * size;
    let largest = -Infinity, total = 0;
    for (let s = 0; s < size; s++) largest = Math.max(largest, logits[from + s]);
    for (let s = 0; s < size; s++) {
      total += probabilities[to + s] = Math.exp(logits[from + s] - largest);
    }
    for (let s = 0; s < size; s++) probabilities[to + s] /= total;
  }
  return probabilities;
}

/** Attention of softmax rows [rows, size] to the values [size, width] of a coreset: [rows, width]. */
export function coresetOutput(
  probabilities: Float64Array,
  value: Float64Array,
  size: number,
): Float64Array {
  return multiply(probabilities, probabilities.length / size, value, size, value.length / size);
}
