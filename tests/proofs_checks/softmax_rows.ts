import type { AttentionInput } from "../../proofs_checks/inputs/family.ts";

/** Logits of query i with every key, in float64. */
export function logitsOf({ query, key, scale }: AttentionInput, i: number): Float64Array {
  const [, keys, features] = key.shape;
  return Float64Array.from({ length: keys }, (_, j) => {
    let sum = 0;
    for (let t = 0; t < features; t++) sum += query.data[i * features + t] * key.data[j * features + t];
    return scale * sum;
  });
}

/** Row i of the softmax matrix, in float64. */
export function softmaxRow(input: AttentionInput, i: number): Float64Array {
  const row = logitsOf(input, i), largest = row.reduce((a, b) => Math.max(a, b));
  let total = 0;
  row.forEach((logit, j) => total += row[j] = Math.exp(logit - largest));
  return row.map((weight) => weight / total);
}

/** The whole softmax matrix. */
export function softmaxMatrix(input: AttentionInput): Float64Array[] {
  return Array.from({ length: input.query.shape[1] }, (_, i) => softmaxRow(input, i));
}

/** Row i of a tensor [1, rows, columns]. */
export function rowOf({ data, shape: [, , columns] }: AttentionInput["query"], i: number): Float32Array {
  return data.subarray(i * columns, (i + 1) * columns);
}

/** All rows of a tensor [1, rows, columns]. */
export function rowsOf(tensor: AttentionInput["query"]): Float32Array[] {
  return Array.from({ length: tensor.shape[1] }, (_, i) => rowOf(tensor, i));
}

/** Inner product. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let t = 0; t < a.length; t++) sum += a[t] * b[t];
  return sum;
}

/** Euclidean length. */
export const lengthOf = (a: ArrayLike<number>): number => Math.sqrt(dot(a, a));

/** Index of the largest value. */
export const argmax = (row: Float64Array): number =>
  row.reduce((best, value, j) => value > row[best] ? j : best, 0);
