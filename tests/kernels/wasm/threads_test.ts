import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { casesOf } from "../../../kernels/known_answers/known_answers.ts";
import type { PrimitiveName } from "../../../kernels/primitives.ts";
import { openWasm, type WasmBackend } from "../../../kernels/wasm/backend.ts";
import { normals } from "../../data.ts";
import { runPipeline, withWasm } from "./pipeline.ts";

/** Rows in several chunks, in odd numbers and widths. */
const LARGE = { heads: 2, queries: 331, keys: 1100, features: 19, valueFeatures: 13, probes: 23, points: 11 };

/** The answers of every primitive, each from a run of its own. */
async function runPrimitives(backend: WasmBackend): Promise<[PrimitiveName, ...unknown[]][]> {
  const answers: [PrimitiveName, ...unknown[]][] = [];
  for (const one of casesOf()) {
    answers.push([one.primitive, ...await backend.run(one.prepare(backend, LARGE).answers())]);
    backend.reset();
  }
  return answers;
}

for (
  const [what, run] of [["every primitive", runPrimitives], ["a chain of primitives", runPipeline]] as const
) {
  Deno.test(`${what} gives the bits of one thread with two and with three threads`, async () => {
    const alone = await withWasm<unknown>({ threads: 1 }, run);
    for (const threads of [2, 3]) {
      await withWasm({ threads }, async (backend) => {
        assertMatch(backend.adapter, new RegExp(`${threads} threads`));
        assertEquals(await run(backend), alone);
      });
    }
  });
}

Deno.test("attend() repeats its bits however the threads race", async () => {
  const shape = { heads: 3, queries: 200, keys: 333, features: 16, valueFeatures: 16 };
  const query = normals(1, 3 * 200 * 16), key = normals(2, 3 * 333 * 16), value = normals(3, 3 * 333 * 16);
  await withWasm({ threads: 3 }, async (backend) => {
    let first: unknown;
    for (let repeat = 0; repeat < 50; repeat++) {
      const { output } = backend.attend({
        ...shape,
        query: backend.upload(query),
        key: backend.upload(key),
        value: backend.upload(value),
        scale: 1,
      });
      const result = await backend.run([output]);
      backend.reset();
      first ??= result;
      assertEquals(result, first);
    }
  });
});

Deno.test("run() after run() reads what the first one left", async () => {
  await withWasm({ threads: 2 }, async (backend) => {
    const rows = backend.upload(Float32Array.of(1, 5, 3, 7));
    const mean = backend.columnMean({ rows, heads: 1, count: 2, width: 2 });
    await backend.run([]);
    const meanOfMean = backend.columnMean({ rows: mean, heads: 1, count: 1, width: 2 });
    const [a, b] = await Promise.all([backend.run([meanOfMean]), backend.run([mean])]);
    assertEquals([...a[0], ...b[0]], [2, 6, 2, 6]);
  });
});

Deno.test("openWasm() rejects a number of threads that is none", async () => {
  for (const threads of [0, -1, 1.5, NaN, 129]) {
    await assertRejects(() => openWasm({ threads }), RangeError, "threads must be an integer from 1 to 128");
  }
});
