import type { KernelName } from "./kernels.ts";

/** Rows with the kernel between them. */
export interface KernelRows {
  /** [count, features] */
  readonly data: Float32Array;
  readonly features: number;
  /** About 1, so that distances in bandwidths and in the units of the data stay in the same range. */
  readonly bandwidth: number;
  /** "gaussian" by default. */
  readonly kernel?: KernelName;
  /** [count]: ln of the rows' weights, finite; all 0 by default. */
  readonly logWeights?: Float64Array;
}

/** Options of sums of kernel values. */
export interface KernelSumSettings {
  /** The queries are the rows themselves, and each is hidden from itself. Not together with weights. */
  readonly excludeSelf?: boolean;
  readonly signal?: AbortSignal;
}
