import type { Tensor } from "../../kernels/tensor.ts";
import type { AttentionFunction, WorkloadOptions } from "../workload.ts";
import { productTransposed, transpose } from "./products.ts";
import { nextTurn } from "./turns.ts";

/** Queries whose logits are held at a time. */
const BLOCK = 64;

/**
 * Exact softmax attention of every head at scale 1/√features, in plain JavaScript: what the layers below a
 * chosen head run on when the caller brings no device.
 */
export function plainAttention(options: Pick<WorkloadOptions, "onProgress" | "signal">): AttentionFunction {
  return async (query, key, value) => {
    const [heads, n, features] = query.shape;
    const size = n * features;
    const output = new Float32Array(heads * size);
    for (let head = 0; head < heads; head++) {
      const part = (tensor: Tensor) => tensor.data.subarray(head * size, (head + 1) * size);
      const queries = Float64Array.from(part(query), (x) => x / Math.sqrt(features));
      const keys = Float64Array.from(part(key)), values = transpose(part(value), n, features);
      for (let row = 0; row < n; row += BLOCK) {
        options.onProgress?.(head * n + row, heads * n, "attention of a lower layer");
        await nextTurn(options.signal);
        const block = queries.subarray(row * features, (row + BLOCK) * features);
        const rows = block.length / features;
        const weights = productTransposed(block, keys, { rows, columns: n, inner: features });
        for (let i = 0; i < rows; i++) softmax(weights.subarray(i * n, (i + 1) * n));
        output.set(
          productTransposed(weights, values, { rows, columns: features, inner: n }),
          head * size + row * features,
        );
      }
    }
    options.onProgress?.(heads * n, heads * n, "attention of a lower layer");
    return { data: output, shape: [heads, n, features] };
  };
}

function softmax(logits: Float64Array): void {
  let largest = -Infinity, total = 0;
  for (const logit of logits) if (logit > largest) largest = logit;
  for (let j = 0; j < logits.length; j++) total += logits[j] = Math.exp(logits[j] - largest);
  for (let j = 0; j < logits.length; j++) logits[j] /= total;
}
