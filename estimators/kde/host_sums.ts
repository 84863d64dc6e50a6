import { type KernelExponent, kernelExponent } from "./kernels.ts";
import type { KernelRows, KernelSumSettings } from "./kernel_rows.ts";
import { logSumExp } from "./log_domain.ts";

/** Differences that the host takes before it lets other work go on. */
const HOST_DIFFERENCES = 2 ** 24;

/** Sums of kernel values in float64, one query at a time: of every kernel, and of rows farther out than f32 can square. */
export class HostSums {
  readonly #rows: KernelRows;
  readonly #queries: Float32Array;
  readonly #settings: KernelSumSettings;
  readonly #exponent: KernelExponent;
  #taken = 0;

  constructor(rows: KernelRows, queries: Float32Array, settings: KernelSumSettings) {
    this.#rows = rows;
    this.#queries = queries;
    this.#settings = settings;
    this.#exponent = kernelExponent(rows.kernel ?? "gaussian", rows.bandwidth);
  }

  /** Over some of the rows; −Infinity over none. */
  async logSum(query: number, over: ArrayLike<number>): Promise<number> {
    const { data, features, logWeights } = this.#rows, { excludeSelf, signal } = this.#settings;
    this.#taken += over.length * features;
    if (this.#taken > HOST_DIFFERENCES) {
      this.#taken = 0;
      await new Promise((resolve) => setTimeout(resolve));
    }
    signal?.throwIfAborted();
    const logs = new Float64Array(over.length), exponent = this.#exponent;
    for (let at = 0; at < over.length; at++) {
      const row = over[at];
      logs[at] = excludeSelf && row === query ? -Infinity : (logWeights?.[row] ?? 0) -
        exponent(data, row * features, this.#queries, query * features, features);
    }
    return logSumExp(logs);
  }
}
