import { assert, assertEquals, assertRejects } from "@std/assert";
import { floatValues } from "../../../kernels/reference/array.ts";
import { ReferenceBackend } from "../../../kernels/reference/backend.ts";
import { attention, methods, tensor } from "../../../mod.ts";
import { normals } from "../../data.ts";
import { runPipeline } from "../wasm/pipeline.ts";

const n = 3000, d = 48, rows = tensor(normals(4, n * d), [n, d]);

for (const method of methods) {
  Deno.test(`an abort stops ${method} attention on the reference long before its end`, async () => {
    const controller = new AbortController();
    let ticks = 0;
    // From a timer, which has its turn only if the event loop goes on.
    const timer = setInterval(() => ++ticks === 3 && controller.abort(new Error("three ticks")), 5);
    const call = attention(rows, rows, rows, { method, device: "reference", signal: controller.signal });
    await assertRejects(() => call, Error, "three ticks");
    clearInterval(timer);
  });
}

Deno.test("results read before a run are computed at once, to the bits of a run", async () => {
  const backend = new ReferenceBackend(), rows = backend.upload(normals(1, 900));
  const shape = { heads: 1, count: 90, width: 10 };
  const record = () => {
    const mean = backend.columnMean({ ...shape, rows });
    const centred = backend.centreRows({ ...shape, rows, centre: mean });
    const size = { heads: 1, queries: 90, keys: 90, features: 10, valueFeatures: 10, scale: 0.3 };
    return backend.attend({ ...size, query: centred, key: centred, value: rows }).output;
  };
  const early = Float32Array.from(floatValues(record()));
  assertEquals((await backend.run([record()]))[0], early);
});

Deno.test("several runs under way, and one whose arrays another made, give the same bits", async () => {
  const alone = await runPipeline(new ReferenceBackend()), backend = new ReferenceBackend();
  const together = await Promise.all([runPipeline(backend), runPipeline(backend)]);
  for (const result of together) assertEquals(result, alone);
  assert(alone.length > 0);
});

Deno.test("an aborted run forgets its work, and the next one begins anew", async () => {
  const backend = new ReferenceBackend(), rows = backend.upload(Float32Array.of(1, 2, 3, 4));
  backend.columnMean({ rows, heads: 1, count: 2, width: 2 });
  await assertRejects(() => backend.run([], AbortSignal.abort(new Error("no"))), Error, "no");
  assertEquals(await backend.run([backend.columnMean({ rows, heads: 1, count: 2, width: 2 })]), [
    Float32Array.of(2, 3),
  ]);
});
