import { assertEquals, assertInstanceOf, assertLess, assertRejects } from "@std/assert";
import { DeviceLostError } from "../../../kernels/errors.ts";
import { selfTest } from "../../../kernels/self_test.ts";
import type { WasmBackend } from "../../../kernels/wasm/backend.ts";
import { withWasm } from "./pipeline.ts";

/** Records seconds of work. */
function recordLongWork(backend: WasmBackend): void {
  const heads = 8, count = 8192, width = 64;
  const rows = backend.upload(new Float32Array(heads * count * width).fill(0.1));
  const shape = { heads, queries: count, keys: count, features: width, valueFeatures: width };
  backend.attend({ ...shape, query: rows, key: rows, value: rows, scale: 0.1 });
}

for (const threads of [1, 2]) {
  Deno.test(`run() with ${threads} thread(s) stops soon after an abort and can be used again`, async () => {
    await withWasm({ threads }, async (backend) => {
      recordLongWork(backend);
      const controller = new AbortController();
      let abortedAt = 0;
      const timer = setTimeout(() => {
        abortedAt = performance.now();
        controller.abort(new Error("enough"));
      }, 100);
      await assertRejects(() => backend.run([], controller.signal), Error, "enough");
      clearTimeout(timer);
      // Generous, since other processes may hold the cores: the work itself would take seconds.
      assertLess(performance.now() - abortedAt, 500);
      backend.reset();
      await selfTest(backend);
    });
  });
}

Deno.test("run() rejects at once when the signal was aborted before, and forgets the work", async () => {
  await withWasm({ threads: 2 }, async (backend) => {
    recordLongWork(backend);
    const start = performance.now();
    await assertRejects(() => backend.run([], AbortSignal.abort(new Error("never"))), Error, "never");
    assertEquals(await backend.run([]), []);
    assertLess(performance.now() - start, 500);
  });
});

Deno.test("timers fire while a long run goes on", async () => {
  await withWasm({ threads: 2 }, async (backend) => {
    recordLongWork(backend);
    let ticks = 0;
    const controller = new AbortController();
    const timer = setInterval(() => ++ticks === 5 && controller.abort(new Error("five ticks")), 10);
    await assertRejects(() => backend.run([], controller.signal), Error, "five ticks");
    clearInterval(timer);
  });
});

Deno.test("destroy() during a run loses the device and ends the run", async () => {
  await withWasm({ threads: 2 }, async (backend) => {
    recordLongWork(backend);
    const running = backend.run([]).catch((error) => error);
    setTimeout(() => backend.destroy(), 50);
    assertInstanceOf(await running, DeviceLostError);
    await assertRejects(() => backend.run([]), DeviceLostError, "the device was destroyed");
  });
});
