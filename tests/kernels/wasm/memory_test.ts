import { assert, assertEquals, assertLess, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { selfTest } from "../../../kernels/self_test.ts";
import { DeviceUnavailableError } from "../../../kernels/errors.ts";
import { openWasm, type WasmBackend } from "../../../kernels/wasm/backend.ts";
import { Pool } from "../../../kernels/wasm/engine/pool.ts";
import { attention, openDevice, tensor } from "../../../mod.ts";
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

for (const threads of [1, 2]) {
  Deno.test(`memory with ${threads} thread(s) that was needed long ago is given back, other memory is kept`, async () => {
    const pool = await Pool.open(threads), needed = 100 * 2 ** 20;
    pool.arena.allocate(needed);
    pool.arena.release();
    assertEquals(pool.trimmed(needed), pool);
    const fresh = pool.trimmed(2 ** 20);
    assertLess(fresh.arena.size, needed / 2);
    assertEquals([fresh.threads, pool.lost, fresh.lost], [threads, "the device was destroyed", null]);
    // Little is not worth the work, whatever was needed.
    assertEquals(fresh.trimmed(0), fresh);
    fresh.destroy();
  });

  Deno.test(`calls with ${threads} thread(s) give the same bits after memory was given back`, async () => {
    await withWasm({ threads }, async (backend) => {
      for (let call = 0; call < 8; call++) {
        if (call % 3 === 0) backend.upload(new Float32Array(2 ** 25));
        await selfTest(backend);
        backend.trim(call === 5);
      }
    });
  });
}

/** Has an engine with less memory than others, while a body runs. */
async function withMemory<T>(
  make: (descriptor: WebAssembly.MemoryDescriptor) => WebAssembly.Memory,
  body: () => Promise<T>,
): Promise<T> {
  const { Memory } = WebAssembly;
  WebAssembly.Memory = new Proxy(Memory, { construct: (_, [descriptor]) => make(descriptor) });
  try {
    return await body();
  } finally {
    WebAssembly.Memory = Memory;
  }
}

const { Memory } = WebAssembly, PAGE = 65536;
const refuse = (): never => {
  throw new RangeError("could not allocate memory");
};

const keys = 50_000, width = 48, query = tensor(normals(1, 3 * width), [3, width]);
const key = tensor(normals(2, keys * width), [keys, width]),
  value = tensor(normals(3, keys * width), [keys, width]);

/** Exact attention to more keys than fit at a time, beside the reference. */
async function checkParts(causal: boolean): Promise<void> {
  using device = await openDevice({ prefer: "wasm" });
  const options = { method: "exact", causal } as const;
  const { output } = await attention(query, key, value, { ...options, device });
  const expected = await attention(query, key, value, { ...options, device: "reference" });
  output.data.forEach((x, at) => assert(Math.abs(x - expected.output.data[at]) < 1e-6));
  // Another call has the same memory.
  assertEquals((await attention(query, key, value, { ...options, device })).output, output);
}

for (const causal of [false, true]) {
  Deno.test(`exact attention${causal ? ", causal," : ""} takes one large head in parts that fit the memory`, async () => {
    const small = (descriptor: WebAssembly.MemoryDescriptor) =>
      descriptor.maximum! > 600 ? refuse() : new Memory(descriptor);
    await withMemory(small, () => checkParts(causal));
  });
}

Deno.test("exact attention finds out how much memory the system gives", async () => {
  const stingy = (descriptor: WebAssembly.MemoryDescriptor) => {
    const memory = new Memory(descriptor), grow = memory.grow.bind(memory);
    memory.grow = (pages) => memory.buffer.byteLength / PAGE + pages > 500 ? refuse() : grow(pages);
    return memory;
  };
  await withMemory(stingy, () => checkParts(false));
});

Deno.test("where memory cannot be shared one thread works on memory of its own", async () => {
  const unshared = (descriptor: WebAssembly.MemoryDescriptor) =>
    descriptor.shared ? refuse() : new Memory(descriptor);
  const backend = await withMemory(unshared, () => openWasm({ threads: 3 }));
  assertMatch(backend.adapter, /1 thread \(memory to share is refused\)$/);
  await selfTest(backend);
  backend.destroy();
});

Deno.test("without WebAssembly, its memory or leave to compile there is no such device, with the cause", async () => {
  const { compile } = WebAssembly, cause = new WebAssembly.CompileError("refused by the policy of the page");
  const opened = () => openDevice({ prefer: "wasm" });
  const memory = await withMemory(refuse, () => assertRejects(opened, DeviceUnavailableError));
  assertMatch(String(memory.cause), /could not allocate memory/);
  WebAssembly.compile = () => Promise.reject(cause);
  try {
    const error = await assertRejects(opened, DeviceUnavailableError, "refused by the policy of the page");
    assertEquals(error.cause, cause);
  } finally {
    WebAssembly.compile = compile;
  }
  const engine = globalThis.WebAssembly;
  Object.assign(globalThis, { WebAssembly: undefined });
  try {
    await assertRejects(opened, DeviceUnavailableError, "this runtime has none");
    // What takes over is slow, so it is said.
    const warnings: string[] = [], gpu = { requestAdapter: () => Promise.resolve(null) } as unknown as GPU;
    using device = await openDevice({ gpu, onWarning: (message) => void warnings.push(message) });
    assertEquals([device.kind, warnings.length], ["reference", 1]);
    assertMatch(device.fellBack!, /Cannot open WebAssembly/);
  } finally {
    Object.assign(globalThis, { WebAssembly: engine });
  }
});
