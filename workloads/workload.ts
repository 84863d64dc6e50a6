import type { Tensor } from "../kernels/tensor.ts";

/** A named attention problem. */
export interface Workload {
  readonly name: string;
  /** [heads, queries, features] */
  readonly query: Tensor;
  /** [heads, keys, features] */
  readonly key: Tensor;
  /** [heads, keys, valueFeatures] */
  readonly value: Tensor;
  /** Factor on every inner product. */
  readonly scale: number;
  /** What the tensors hold, in one line. */
  readonly description: string;
}

/** Exact attention at scale 1/√features of tensors [heads, n, features], for a layer whose input needs it. */
export type AttentionFunction = (
  query: Tensor,
  key: Tensor,
  value: Tensor,
) => Tensor | Promise<Tensor>;

/** What a caller may choose about a workload. */
export interface WorkloadOptions {
  /** Number of queries, and of keys; 4096 by default, 512 for `ocr`, fixed for those named after a layer. */
  readonly n?: number;
  /** Number of independent draws, the leading dimension; 1 by default. Real data: consecutive stretches. */
  readonly batch?: number;
  /** Seed of the generator, 1 by default; real data does not depend on it. */
  readonly seed?: number;
  /** `LAYER.HEAD` or `LAYER.all` of a pretrained model: "1.0" by default. */
  readonly head?: string;
  /** Attention for the layers below the chosen one, plain JavaScript by default; `ocr` brings its own. */
  readonly attention?: AttentionFunction;
  /** Told how far a slow step is. */
  readonly onProgress?: (done: number, total: number, what: string) => void;
  /** Stops the work with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Makes one workload; options are those of `loadWorkload`, checked, with their defaults filled in. */
export type WorkloadLoader = (name: string, options: CheckedOptions) => Workload | Promise<Workload>;

/** {@link WorkloadOptions} after checking. */
export interface CheckedOptions extends WorkloadOptions {
  readonly batch: number;
  readonly seed: number;
}

/** An error about an option of a workload. */
export function optionError(name: string, rule: string, value: unknown): RangeError {
  return new RangeError(`Cannot load workload ${name}: ${rule}: current value is ${value}`);
}
