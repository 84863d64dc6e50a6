import { assertEquals } from "@std/assert";
import { floats, floatValues } from "../../../kernels/reference/array.ts";
import { attendAtOnce } from "../../../kernels/reference/attend.ts";
import { selfTest } from "../../../kernels/self_test.ts";
import type { WasmBackend } from "../../../kernels/wasm/backend.ts";
import { hasRelaxedSimd } from "../../../kernels/wasm/engine/variants.ts";
import { normals } from "../../data.ts";
import { attendOn, plainAttention } from "../../attend.ts";
import { assertPrecise } from "../../precision.ts";
import { withWasm } from "./pipeline.ts";

// Many rows: at the largest logits a few decide each error, which then is a matter of luck.
const queries = 701, keys = 259, features = 63, valueFeatures = 30;
const shape = { heads: 1, queries, keys, features, valueFeatures, scale: 0.125 };

/** A problem with what the plain formula and float64 make of it. */
function answered(spread: number, distances: boolean) {
  const query = normals(1, queries * features, spread), key = normals(2, keys * features);
  const value = normals(3, keys * valueFeatures), args = { ...shape, distances, query, key, value };
  const wide = (data: Float32Array) => floats(Float64Array.from(data));
  const exact = attendAtOnce({ ...args, query: wide(query), key: wide(key), value: wide(value) });
  return {
    args,
    plain: plainAttention(args),
    exact,
    name: `spread ${spread}${distances ? ", distances" : ""}`,
  };
}

const problems = [1e-3, 1, 30, 1e4].flatMap((spread) =>
  [false, true].map((distances) => ({ spread, distances }))
);
let answers: ReturnType<typeof answered>[] | undefined;

async function checkPrecision(backend: WasmBackend): Promise<void> {
  answers ??= problems.map(({ spread, distances }) => answered(spread, distances));
  for (const { args, plain, exact, name } of answers) {
    const [output, logSumExp] = await attendOn(backend, args);
    assertPrecise(output, plain.output, floatValues(exact.output), `${name}: output`);
    assertPrecise(logSumExp, plain.logSumExp, floatValues(exact.logSumExp), `${name}: log-sum-exp`);
  }
}

for (const relaxed of hasRelaxedSimd() ? [true, false] : [false]) {
  for (const shared of [true, false]) {
    const name = `${relaxed ? "relaxed" : "plain"} SIMD, ${shared ? "shared" : "unshared"} memory`;
    const options = { threads: shared ? 2 : 1, variant: { relaxed, shared } };
    Deno.test(`openWasm() with ${name} passes the self test`, () =>
      withWasm(options, (backend) => selfTest(backend)));
    Deno.test(`attend() with ${name} meets the precision rule`, () => withWasm(options, checkPrecision));
  }
}

Deno.test("openWasm() says why it has one thread when memory cannot be shared", async () => {
  const options = { threads: 2, variant: { shared: false } };
  const adapter = await withWasm(options, (backend) => Promise.resolve(backend.adapter));
  assertEquals(adapter.endsWith("SIMD, 1 thread (memory cannot be shared)"), true, adapter);
});
