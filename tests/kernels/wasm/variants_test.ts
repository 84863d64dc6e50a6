import { assertEquals } from "@std/assert";
import { floats, floatValues } from "../../../kernels/reference/array.ts";
import { attendAtOnce } from "../../../kernels/reference/attend.ts";
import { selfTest } from "../../../kernels/self_test.ts";
import type { WasmBackend } from "../../../kernels/wasm/backend.ts";
import { hasRelaxedSimd } from "../../../kernels/wasm/engine/variants.ts";
import { normals } from "../../data.ts";
import { plainAttention } from "../../attend.ts";
import { assertPrecise } from "../../precision.ts";
import { withWasm } from "./pipeline.ts";

async function checkPrecision(backend: WasmBackend, spread: number, distances: boolean): Promise<void> {
  const shape = {
    heads: 1,
    queries: 101,
    keys: 259,
    features: 63,
    valueFeatures: 30,
    scale: 0.125,
    distances,
  };
  const query = normals(1, 101 * 63, spread), key = normals(2, 259 * 63), value = normals(3, 259 * 30);
  const upload = (data: Float32Array) => backend.upload(data);
  const partial = backend.attend({ ...shape, query: upload(query), key: upload(key), value: upload(value) });
  const [output, logSumExp] = await backend.run([partial.output, partial.logSumExp]);
  backend.reset();
  const plain = plainAttention({ ...shape, query, key, value });
  const wide = (data: Float32Array) => floats(Float64Array.from(data));
  const exact = attendAtOnce({ ...shape, query: wide(query), key: wide(key), value: wide(value) });
  assertPrecise(output, plain.output, floatValues(exact.output), `spread ${spread}: output`);
  assertPrecise(logSumExp, plain.logSumExp, floatValues(exact.logSumExp), `spread ${spread}: log-sum-exp`);
}

for (const relaxed of hasRelaxedSimd() ? [true, false] : [false]) {
  for (const shared of [true, false]) {
    const name = `${relaxed ? "relaxed" : "plain"} SIMD, ${shared ? "shared" : "unshared"} memory`;
    const options = { threads: shared ? 2 : 1, variant: { relaxed, shared } };
    Deno.test(`openWasm() with ${name} passes the self test`, () =>
      withWasm(options, (backend) => selfTest(backend)));
    Deno.test(`attend() with ${name} meets the precision rule`, async () => {
      await withWasm(options, async (backend) => {
        for (const spread of [1e-3, 1, 30, 1e4]) {
          await checkPrecision(backend, spread, false);
          await checkPrecision(backend, spread, true);
        }
      });
    });
  }
}

Deno.test("openWasm() says why it has one thread when memory cannot be shared", async () => {
  const options = { threads: 2, variant: { shared: false } };
  const adapter = await withWasm(options, (backend) => Promise.resolve(backend.adapter));
  assertEquals(adapter.endsWith("SIMD, 1 thread (memory cannot be shared)"), true, adapter);
});
