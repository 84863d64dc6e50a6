import { EMPTY, MASKED } from "../../kernels/backend.ts";
import { formatShape, sizeOf, type Tensor } from "../../kernels/tensor.ts";
import { deviceFor } from "./attention.ts";
import type { AttentionOptions } from "./options.ts";
import { exactAttention } from "../core/exact.ts";
import { makeProblem } from "../core/problem.ts";
import { runOn } from "../../kernels/device.ts";

/** Exact attention over some of the keys, in a form that merges exactly with that over others. */
export interface PartialResult {
  /** [..., n_q, d_v]; 0 in rows that see no key. */
  readonly output: Tensor;
  /** [..., n_q]: ln Σ exp(logit) over the keys seen; −Infinity in rows that see none. */
  readonly logSumExp: Tensor;
}

/** Options of {@link attentionPartial}. */
export interface PartialOptions
  extends Pick<AttentionOptions, "scale" | "keyMask" | "device" | "signal" | "onProgress"> {
  /**
   * For causal attention over a shard: key j of the shard is visible to query i if j <= i + causalOffset. With keys
   * start…end of n_k this is n_k − n_q − start. Left out: every key is visible.
   */
  readonly causalOffset?: number;
}

/**
 * Exact attention over a shard of the keys. Shards computed anywhere, on other devices or machines, are joined by
 * {@link mergePartials}.
 *
 * @example
 * ```ts
 * import { attentionPartial, mergePartials, tensor } from "@kdeformer/kdeformer";
 * const q = tensor([1, 0], [1, 2]);
 * const left = await attentionPartial(q, tensor([1, 0], [1, 2]), tensor([1], [1, 1]), { device: "reference" });
 * const right = await attentionPartial(q, tensor([0, 1], [1, 2]), tensor([2], [1, 1]), { device: "reference" });
 * console.log(mergePartials([left, right]).output.shape); // [1, 1]
 * ```
 *
 * @throws {TypeError} If shapes do not fit.
 * @throws {RangeError} If a value is out of range.
 */
export async function attentionPartial(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: PartialOptions = {},
): Promise<PartialResult> {
  const { causalOffset } = options;
  if (causalOffset !== undefined && !Number.isInteger(causalOffset)) {
    throw new RangeError(`Cannot attend: causalOffset must be an integer: current value is ${causalOffset}`);
  }
  const problem = { ...makeProblem(query, key, value, options), causalOffset };
  const device = await deviceFor(options.device);
  const { output, logSumExp } = await runOn(device, (backend) => exactAttention(backend, problem, options));
  return {
    output: { data: output, shape: problem.outputShape },
    logSumExp: {
      data: logSumExp.map((sum) => sum <= MASKED ? -Infinity : sum),
      shape: problem.outputShape.slice(0, -1),
    },
  };
}

/**
 * Joins partial results over disjoint keys into the result over all of them: exact up to rounding.
 *
 * @throws {TypeError} If there are none, or their shapes differ.
 */
export function mergePartials(partials: readonly PartialResult[]): PartialResult {
  if (partials.length === 0) throw new TypeError("Cannot merge: there must be at least one partial result");
  const { shape } = partials[0].output;
  for (const { output } of partials) {
    if (String(output.shape) !== String(shape)) {
      throw new TypeError(
        `Cannot merge: outputs must have one shape: ${formatShape(shape)} and ${formatShape(output.shape)}`,
      );
    }
  }
  const width = shape[shape.length - 1];
  const rows = sizeOf(shape) / width;
  const output = new Float32Array(rows * width), logSumExp = new Float32Array(rows);
  const mean = new Float64Array(width);
  for (let row = 0; row < rows; row++) {
    const largest = partials.reduce((most, part) => Math.max(most, part.logSumExp.data[row]), EMPTY);
    let total = 0;
    mean.fill(0);
    for (const part of partials) {
      const weight = Math.exp(part.logSumExp.data[row] - largest);
      total += weight;
      for (let c = 0; c < width; c++) mean[c] += weight * part.output.data[row * width + c];
    }
    logSumExp[row] = total > 0 ? largest + Math.log(total) : -Infinity;
    for (let c = 0; c < width; c++) output[row * width + c] = total > 0 ? mean[c] / total : 0;
  }
  return { output: { data: output, shape }, logSumExp: { data: logSumExp, shape: shape.slice(0, -1) } };
}
