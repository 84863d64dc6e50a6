import { assertEquals } from "@std/assert";
import { ReferenceBackend } from "../../../kernels/reference/backend.ts";
import { selfTest } from "../../../kernels/self_test.ts";
import { hasRelaxedSimd } from "../../../kernels/wasm/variants.ts";
import { largestDifference, largestMagnitude } from "../../precision.ts";
import { runPipeline, withWasm } from "./pipeline.ts";

for (const relaxed of hasRelaxedSimd() ? [true, false] : [false]) {
  for (const shared of [true, false]) {
    const name = `${relaxed ? "relaxed" : "plain"} SIMD, ${shared ? "shared" : "unshared"} memory`;
    Deno.test(`openWasm() with ${name} passes the self test`, async () => {
      await withWasm({ threads: shared ? 2 : 1, variant: { relaxed, shared } }, selfTest);
    });
    Deno.test(`openWasm() with ${name} agrees with the reference`, async () => {
      const expected = await runPipeline(new ReferenceBackend());
      const actual = await withWasm({ threads: shared ? 2 : 1, variant: { relaxed, shared } }, runPipeline);
      actual.forEach((values, part) => {
        if (values instanceof Uint32Array) return assertEquals(values, expected[part]);
        const allowed = 32 * 2 ** -23 * Math.max(1, largestMagnitude(expected[part]));
        const error = largestDifference(values, expected[part]);
        assertEquals(error <= allowed, true, `part ${part}: error ${error}, allowed ${allowed}`);
      });
    });
  }
}

Deno.test("openWasm() says why it has one thread when memory cannot be shared", async () => {
  await withWasm({ threads: 2, variant: { shared: false } }, (backend) => {
    assertEquals(backend.adapter.endsWith("SIMD, 1 thread (memory cannot be shared)"), true, backend.adapter);
    return Promise.resolve();
  });
});
