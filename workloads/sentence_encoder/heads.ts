import type { Tensor } from "../../kernels/tensor.ts";

/** Heads of each layer. */
export const HEADS = 4;

/**
 * Rows of `parts` heads side by side, [n, parts · features], as tensors of HEADS heads each: queries, keys and
 * values when there are 3 · HEADS.
 */
export function splitHeads(rows: Float64Array, width: number, parts: number): Tensor[] {
  const n = rows.length / width, features = width / parts;
  return Array.from({ length: parts / HEADS }, (_, role) => {
    const data = new Float32Array(HEADS * n * features);
    for (let head = 0; head < HEADS; head++) {
      for (let i = 0; i < n; i++) {
        const from = i * width + (role * HEADS + head) * features;
        data.set(rows.subarray(from, from + features), (head * n + i) * features);
      }
    }
    return { data, shape: [HEADS, n, features] };
  });
}

/** [heads, n, features] -> [n, heads · features]. */
export function mergeHeads({ data, shape: [heads, n, features] }: Tensor): Float64Array {
  const rows = new Float64Array(data.length);
  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < n; i++) {
      const from = (head * n + i) * features;
      rows.set(data.subarray(from, from + features), (i * heads + head) * features);
    }
  }
  return rows;
}
