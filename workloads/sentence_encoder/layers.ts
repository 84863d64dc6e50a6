import { productTransposed, transpose } from "./products.ts";
import type { Weights } from "./weights.ts";

/** Maps rows [n, inputs] to rows [n, outputs]. */
export interface RowMap {
  readonly inputs: number;
  readonly outputs: number;
  apply(rows: Float64Array): Float64Array;
}

/** rows · kernel + bias, from a kernel [inputs, outputs]. */
export function linear(
  kernel: Float32Array,
  bias: Float32Array,
  inputs: number,
  outputs: number,
): RowMap {
  const columns = transpose(kernel, inputs, outputs);
  return {
    inputs,
    outputs,
    apply(rows) {
      const size = { rows: rows.length / inputs, columns: outputs, inner: inputs };
      const out = productTransposed(rows, columns, size);
      for (let i = 0; i < out.length; i++) out[i] += bias[i % outputs];
      return out;
    },
  };
}

/** (x − mean) / √(variance + 1e-6) of each row, times `gain`, plus `bias`. */
function layerNorm(gain: Float32Array, bias: Float32Array): RowMap {
  const width = gain.length;
  return {
    inputs: width,
    outputs: width,
    apply(rows) {
      const out = new Float64Array(rows.length);
      for (let at = 0; at < rows.length; at += width) {
        let mean = 0, variance = 0;
        for (let c = 0; c < width; c++) mean += rows[at + c] / width;
        for (let c = 0; c < width; c++) variance += (rows[at + c] - mean) ** 2 / width;
        const factor = 1 / Math.sqrt(variance + 1e-6);
        for (let c = 0; c < width; c++) out[at + c] = (rows[at + c] - mean) * factor * gain[c] + bias[c];
      }
      return out;
    },
  };
}

/** Width of the residual stream after the first layer, and of the sentence vector. */
export const WIDTH = 512;
/** Width of the token embeddings. */
export const EMBEDDING_WIDTH = 256;
const HIDDEN = 1536;

/** One layer of the encoder: attention around which a residual runs, then a feed-forward network. */
export interface Layer {
  readonly norm: RowMap;
  /** To queries, keys and values side by side, each head by head. */
  readonly projection: RowMap;
  readonly output: RowMap;
  /** What the first layer does to its input to give it the width of its output. */
  readonly residual?: RowMap;
  readonly feedForward: { readonly norm: RowMap; readonly expand: RowMap; readonly contract: RowMap };
}

/** Layer 1 or 2 of the encoder. */
export function readLayer(weights: Weights, layer: number): Layer {
  const width = layer === 1 ? EMBEDDING_WIDTH : WIDTH;
  const prefix = `/Layer_${layer - 1}/TransformerLayer`;
  const bias = (part: string, size: number) =>
    weights.get(`${prefix}/${part}/bias/ConcatPartitions/concat`, [size]);
  const norm = (part: string, size: number) => {
    const get = (name: string) =>
      weights.get(`${prefix}${part}/layer_prepostprocess/layer_norm/${name}/ConcatPartitions/concat`, [size]);
    return layerNorm(get("layer_norm_scale"), get("layer_norm_bias"));
  };
  const dense = (part: string, kernel: string, inputs: number, outputs: number) =>
    linear(
      weights.get(`${prefix}/${part}/${kernel}`, [inputs, outputs]),
      bias(part, outputs),
      inputs,
      outputs,
    );
  return {
    norm: norm("", width),
    projection: dense("MultiheadAttention/qkv_transform_single", "kernel/part_0", width, 3 * width),
    output: dense("MultiheadAttention/output_transform_single", "kernel/part_0", width, WIDTH),
    residual: layer === 1 ? dense("dense", "kernel/ConcatPartitions/concat", width, WIDTH) : undefined,
    feedForward: {
      norm: norm("/FFN", WIDTH),
      expand: dense("FFN/conv1", "Tensordot/Reshape_1", WIDTH, HIDDEN),
      contract: dense("FFN/conv2", "Tensordot/Reshape_1", HIDDEN, WIDTH),
    },
  };
}
