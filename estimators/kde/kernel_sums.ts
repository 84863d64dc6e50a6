import { type Backend, MASKED } from "../../kernels/backend.ts";
import { exactAttention } from "../core/exact.ts";
import { pickRows } from "../linear_algebra/pick_rows.ts";
import { HostSums } from "./host_sums.ts";
import type { KernelRows, KernelSumSettings } from "./kernel_rows.ts";
import { logAddExp } from "./log_domain.ts";

/** Length from which on squared distances might leave the range of f32 logits, MASKED. */
const FARTHEST = 2 ** 60;

/**
 * ln Σ_j w_j k(x_j, y) at each query y, the Gaussian kernel from sums of squared differences: no error but that of the plain formula in
 * f32, whatever the rows' offset and spread. Rows farther out than f32 can square, and other kernels, take their differences in float64 on
 * the host.
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
  const { data, features, kernel = "gaussian", logWeights } = rows;
  const host = new HostSums(rows, queries, settings);
  const all = Uint32Array.from({ length: data.length / features }, (_, row) => row);
  if (kernel !== "gaussian") {
    const sums = new Float64Array(queries.length / features);
    for (const query of sums.keys()) sums[query] = await host.logSum(query, all);
    return sums;
  }
  const most = FARTHEST / Math.sqrt(features), isFar = (value: number) => Math.abs(value) > most;
  if (!data.some(isFar) && !queries.some(isFar)) return await onDevice(backend, rows, queries, settings);

  const points = splitRows(data, features, isFar), asked = splitRows(queries, features, isFar);
  const sums = new Float64Array(queries.length / features).fill(-Infinity);
  if (points.near.length > 0 && asked.near.length > 0) {
    const near = {
      ...rows,
      data: pickRows(data, features, points.near),
      logWeights: logWeights && Float64Array.from(points.near, (row) => logWeights[row]),
    };
    const found = await onDevice(backend, near, pickRows(queries, features, asked.near), settings);
    asked.near.forEach((query, at) => sums[query] = found[at]);
  }
  for (const query of asked.near) sums[query] = logAddExp(sums[query], await host.logSum(query, points.far));
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
  { data, features, bandwidth, logWeights }: KernelRows,
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
      logWeights: logWeights && Float32Array.from(logWeights),
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
