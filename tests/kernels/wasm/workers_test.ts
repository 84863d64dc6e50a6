import { assertEquals, assertMatch } from "@std/assert";
import { Arena } from "../../../kernels/wasm/engine/arena.ts";
import { GENERATION } from "../../../kernels/wasm/engine/layout.ts";
import { compileVariant, hasRelaxedSimd } from "../../../kernels/wasm/engine/variants.ts";
import { Workers } from "../../../kernels/wasm/engine/workers.ts";
import { normals } from "../../data.ts";
import { withWasm } from "./pipeline.ts";

/** Waits until a condition holds, for a few seconds at most. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 500 && !condition(); turn++) await new Promise((done) => setTimeout(done, 10));
}

Deno.test("a worker starts once the main thread has worked for long enough", async () => {
  const module = await compileVariant({ relaxed: hasRelaxedSimd(), shared: true });
  const { memory } = new Arena(true), control = new Int32Array(memory.buffer);
  const workers = new Workers({ module, memory }, 1, () => {});
  /** Whether a worker sleeps until the generation changes. */
  const sleeps = () => Atomics.notify(control, GENERATION / 4) > 0;
  workers.worked(10);
  await new Promise((done) => setTimeout(done, 300));
  assertEquals(sleeps(), false);
  workers.worked(1000);
  let slept = false;
  await until(() => slept ||= sleeps());
  assertEquals([slept, workers.wanted, workers.refusal], [true, 1, null]);
  workers.terminate();
});

Deno.test("workers that cannot be started are done without", async () => {
  const { memory } = new Arena(true), module = undefined as unknown as WebAssembly.Module;
  const workers = new Workers({ module, memory }, 2, () => {});
  workers.worked(1000);
  await until(() => workers.refusal !== null);
  assertEquals([workers.wanted, workers.refusal], [0, "workers cannot be started"]);
  workers.worked(1000);
  workers.terminate();
});

Deno.test("attend() gives the bits of one thread while workers start and join", async () => {
  const heads = 4, count = 2048, width = 64;
  const shape = { heads, queries: count, keys: count, features: width, valueFeatures: width, scale: 0.125 };
  const data = normals(1, heads * count * width);
  const results = await Promise.all([1, undefined].map((threads) =>
    withWasm({ threads }, async (backend) => {
      const rows = backend.upload(data);
      assertMatch(backend.adapter, /^WebAssembly/);
      return await backend.run([backend.attend({ ...shape, query: rows, key: rows, value: rows }).output]);
    })
  ));
  assertEquals(results[1], results[0]);
});
