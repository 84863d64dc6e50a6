import { assertLessOrEqual } from "@std/assert";
import { floats, floatValues } from "../../kernels/reference/array.ts";
import { attendAtOnce } from "../../kernels/reference/attend.ts";
import type { Backend } from "../../kernels/backend.ts";
import { openWasm } from "../../kernels/wasm/backend.ts";
import { openWebGpu } from "../../kernels/webgpu/backend.ts";
import { attendOn, plainAttention } from "../attend.ts";
import { attendKernels, webgpuTest } from "../backends.ts";
import { normals } from "../data.ts";
import { relativeError } from "../precision.ts";

const queries = 64, features = 64, few = 1024, many = 16384;
/**
 * Sums of stretches of 128 keys, and these summed in turn, err by √((128 + 128)/(128 + 8)) = 1.37 times as much when keys
 * are sixteen times as many, and logits err by the same: the rest is for chance. A sum in one chain would err by 4 times as
 * much.
 */
const GROWTH = 1.5;

/** Errors of a device and of the plain formula, relative to the output in float64, in Frobenius norm. */
async function errorsOf(backend: Backend, keys: number): Promise<{ own: number; plain: number }> {
  const query = normals(1, queries * features), key = normals(2, keys * features);
  const value = normals(3, keys * features), wide = (x: Float32Array) => floats(Float64Array.from(x));
  const shape = { heads: 1, queries, keys, features, valueFeatures: features, scale: 1 / 8 };
  const exact = floatValues(
    attendAtOnce({ ...shape, query: wide(query), key: wide(key), value: wide(value) }).output,
  );
  const [output] = await attendOn(backend, { ...shape, query, key, value });
  const rows = 4, plain = plainAttention({ ...shape, queries: rows, query, key, value }).output;
  return {
    own: relativeError(output, exact),
    plain: relativeError(plain, exact.subarray(0, rows * features)),
  };
}

async function checkGrowth(backend: Backend): Promise<void> {
  try {
    const [before, after] = [await errorsOf(backend, few), await errorsOf(backend, many)];
    assertLessOrEqual(
      after.own,
      GROWTH * before.own,
      `${after.own} at ${many} keys, ${before.own} at ${few}`,
    );
    for (const { own, plain } of [before, after]) assertLessOrEqual(own, 2 * plain);
  } finally {
    backend.destroy();
  }
}

const name = "the error of attend() hardly grows with the number of keys";
Deno.test(`${name} [wasm]`, async () => await checkGrowth(await openWasm()));
for (const attendKernel of attendKernels) {
  webgpuTest(`${name}, ${attendKernel}`, async () => await checkGrowth(await openWebGpu({ attendKernel })));
}
