import { type Backend, MASKED } from "../../kernels/backend.ts";
import { exactAttention } from "../core/exact.ts";
import { pickRows } from "../linear_algebra/pick_rows.ts";
import { logAddExp, logSumExp } from "./log_domain.ts";

/** Rows with the bandwidth of the Gaussian kernel between them. */
export interface KernelRows {
  /** [count, features] */
  readonly data: Float32Array;
  readonly features: number;
  /** About 1, so that distances in bandwidths and in the units of the data stay in the same range. */
  readonly bandwidth: number;
}

/** Options of {@link logKernelSums}. */
export interface KernelSumSettings {
  /** The queries are the rows themselves, and each is hidden from itself. */
  readonly excludeSelf?: boolean;
  readonly signal?: AbortSignal;
}

/** Length from which on squared distances might leave the range of f32 logits, MASKED. */
const FARTHEST = 2 ** 60;
/** Differences that the host takes before it lets other work go on. */
const HOST_DIFFERENCES = 2 ** 24;

/**
 * ln Σ_j exp(−‖x_j − y‖²/(2 bandwidth²)) at each query y, from sums of squared differences: no error but that of the plain formula in
 * f32, whatever the rows' offset and spread. Rows farther out than f32 can square take their differences in float64 on the host.
 *
 * @param queries [queries, features], in the units of the rows
 * @returns [queries]
 */
export async function logKernelSums(
  backend: Backend,
  rows: KernelRows,
  queries: Float32Array,
  settings: KernelSumSettings = {},
): Promise<Float64Array> {
  const { data, features } = rows;
  const most = FARTHEST / Math.sqrt(features), isFar = (value: number) => Math.abs(value) > most;
  if (!data.some(isFar) && !queries.some(isFar)) return await onDevice(backend, rows, queries, settings);

  const points = splitRows(data, features, isFar), asked = splitRows(queries, features, isFar);
  const sums = new Float64Array(queries.length / features).fill(-Infinity);
  if (points.near.length > 0 && asked.near.length > 0) {
    const near = { ...rows, features, data: pickRows(data, features, points.near) };
    const found = await onDevice(backend, near, pickRows(queries, features, asked.near), settings);
    asked.near.forEach((query, at) => sums[query] = found[at]);
  }
  const host = new HostSums(rows, queries, settings);
  for (const query of asked.near) sums[query] = logAddExp(sums[query], await host.logSum(query, points.far));
  const all = Uint32Array.from({ length: data.length / features }, (_, row) => row);
  for (const query of asked.far) sums[query] = await host.logSum(query, all);
  return sums;
}

/** Which rows are near enough for f32, and which are not. */
function splitRows(
  rows: Float32Array,
  features: number,
  isFar: (value: number) => boolean,
): { near: number[]; far: number[] } {
  const near: number[] = [], far: number[] = [];
  for (let row = 0; row < rows.length / features; row++) {
    (rows.subarray(row * features, (row + 1) * features).some(isFar) ? far : near).push(row);
  }
  return { near, far };
}

async function onDevice(
  backend: Backend,
  { data, features, bandwidth }: KernelRows,
  queries: Float32Array,
  { excludeSelf, signal }: KernelSumSettings,
): Promise<Float64Array> {
  const count = data.length / features, asked = queries.length / features;
  const shape = { heads: 1, queries: asked, keys: count, features, valueFeatures: 1 };
  const value = new Float32Array(count), kernel = { scale: 1 / bandwidth ** 2, distances: true };
  if (!excludeSelf) {
    const { logSumExp: sums } = await exactAttention(backend, {
      ...shape,
      ...kernel,
      query: queries,
      key: data,
      value,
      period: asked,
      largestKey: 0,
      largestValue: 0,
      outputShape: [asked, 1],
    }, { signal });
    return Float64Array.from(sums, withoutEmpty);
  }
  const key = backend.upload(data);
  const { logSumExp: recorded } = backend.attend({
    ...shape,
    ...kernel,
    query: key,
    key,
    value: backend.upload(value),
    exclude: {
      keyBlocks: backend.upload(Uint32Array.from({ length: count }, (_, row) => row)),
      blocks: count,
    },
  });
  const [sums] = await backend.run([recorded], signal);
  backend.reset();
  return Float64Array.from(sums as Float32Array, withoutEmpty);
}

/** Minus infinity, where a device has its stand-in. */
function withoutEmpty(log: number): number {
  return log <= MASKED ? -Infinity : log;
}

/** The same in float64, one query at a time. */
class HostSums {
  readonly #rows: KernelRows;
  readonly #queries: Float32Array;
  readonly #settings: KernelSumSettings;
  #taken = 0;

  constructor(rows: KernelRows, queries: Float32Array, settings: KernelSumSettings) {
    this.#rows = rows;
    this.#queries = queries;
    this.#settings = settings;
  }

  /** Over some of the rows; −Infinity over none. */
  async logSum(query: number, over: ArrayLike<number>): Promise<number> {
    const { data, features, bandwidth } = this.#rows, { excludeSelf, signal } = this.#settings;
    this.#taken += over.length * features;
    if (this.#taken > HOST_DIFFERENCES) {
      this.#taken = 0;
      await new Promise((resolve) => setTimeout(resolve));
    }
    signal?.throwIfAborted();
    return logSumExp(Float64Array.from(over, (row) => {
      if (excludeSelf && row === query) return -Infinity;
      let squared = 0;
      for (let t = 0; t < features; t++) {
        squared += (data[row * features + t] - this.#queries[query * features + t]) ** 2;
      }
      return -squared / (2 * bandwidth ** 2);
    }));
  }
}
