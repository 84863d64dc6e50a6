import { attendAtOnce } from "../../kernels/reference/attend.ts";
import { floats, floatValues } from "../../kernels/reference/array.ts";
import { openDevice } from "../../mod.ts";
import { webgpuTest } from "../backends.ts";
import { normals } from "../data.ts";
import { plainAttention } from "../attend.ts";
import { assertPrecise } from "../precision.ts";
import { runJob } from "../../kernels/device.ts";

const checkedRows = 8;

/** Checks rows spread over the whole output, since a driver may fail late in it. */
async function checkLarge(
  kind: "wasm" | "webgpu",
  features: number,
  queries = 16384,
  keys = 16384,
): Promise<void> {
  const query = normals(1, queries * features);
  const [key, value] = [2, 3].map((seed) => normals(seed, keys * features));
  const shape = { heads: 1, keys, features, valueFeatures: features, scale: 1 / Math.sqrt(features) };
  using device = await openDevice({ prefer: kind });
  const [output] = await runJob(device, (backend) => {
    const [q, k, v] = [query, key, value].map((data) => backend.upload(data));
    return backend.run([backend.attend({ ...shape, queries, query: q, key: k, value: v }).output]);
  });
  const picked = Array.from(
    { length: checkedRows },
    (_, at) => Math.floor(((at + 0.5) * queries) / checkedRows),
  );
  const rowsOf = (from: ArrayLike<number>) =>
    Float32Array.from(
      { length: checkedRows * features },
      (_, at) => from[picked[Math.floor(at / features)] * features + at % features],
    );
  const few = { ...shape, queries: checkedRows, query: rowsOf(query), key, value };
  const wide = (x: Float32Array) => floats(Float64Array.from(x));
  const exact = attendAtOnce({ ...few, query: wide(few.query), key: wide(key), value: wide(value) });
  assertPrecise(
    rowsOf(output),
    plainAttention(few).output,
    floatValues(exact.output),
    `${kind}, d = ${features}`,
  );
}

for (const features of [15, 16, 64, 100, 128]) {
  Deno.test(`attend() meets the precision rule at n = 16,384, d = ${features} [wasm]`, () =>
    checkLarge("wasm", features));
}
// All queries of a wide head take minutes on some emulated adapters.
for (const [features, queries] of [[15, 16384], [16, 16384], [64, 16384], [100, 2048], [128, 2048]]) {
  webgpuTest(
    `attend() of ${queries} queries meets the precision rule at 16,384 keys, d = ${features}`,
    () => checkLarge("webgpu", features, queries),
  );
}

Deno.test("attend() meets the precision rule at 65,536 keys [wasm]", () => checkLarge("wasm", 64, 64, 65536));
// More keys than one dispatch takes.
webgpuTest("attend() meets the precision rule at 65,536 keys", () => checkLarge("webgpu", 64, 64, 65536));
