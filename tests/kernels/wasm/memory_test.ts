import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { selfTest } from "../../../kernels/self_test.ts";
import type { WasmBackend } from "../../../kernels/wasm/backend.ts";
import { normals } from "../../data.ts";
import { withWasm } from "./pipeline.ts";

/** Reserves memory without ever touching it. */
function reserve(backend: WasmBackend, bytes: number): void {
  const rows = backend.upload(Float32Array.of(1)), index = backend.upload(Uint32Array.of(0));
  backend.gatherRows({ rows, index, heads: 1, count: 1, width: 1, picks: bytes / 4 });
}

for (const threads of [1, 2]) {
  Deno.test(`upload() with ${threads} thread(s) lets the memory grow and keeps what was there`, async () => {
    await withWasm({ threads }, async (backend) => {
      const small = normals(1, 1000), large = new Float32Array(8 * 2 ** 20).fill(7);
      const first = backend.upload(small), second = backend.upload(large), third = backend.upload(small);
      const [a, b, c] = await backend.run([first, second, third]);
      assertEquals([a, c], [small, small]);
      assertEquals([b[0], b[b.length - 1]], [large[0], large[large.length - 1]]);
      await selfTest(backend);
    });
  });

  Deno.test(`primitives with ${threads} thread(s) work beyond 2 and 3 GiB`, async () => {
    await withWasm({ threads }, async (backend) => {
      for (const gibibytes of [2, 3]) {
        reserve(backend, 2 ** 30 * gibibytes);
        await assertRejects(() => backend.run([], AbortSignal.abort()));
        await selfTest(backend);
      }
    });
  });
}

Deno.test("allocation beyond the end of memory says how much was wanted", async () => {
  await withWasm({ threads: 2 }, async (backend) => {
    reserve(backend, 2 ** 31);
    assertThrows(
      () => reserve(backend, 2 ** 31),
      RangeError,
      "Cannot allocate 2147483648 bytes of WebAssembly memory",
    );
    backend.reset();
    await selfTest(backend);
  });
});
