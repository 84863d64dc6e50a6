import { assertEquals } from "@std/assert";
import { ReferenceBackend } from "../../../kernels/reference/backend.ts";
import type { Backend, DeviceArray } from "../../../kernels/backend.ts";
import { normals, wordsBelow } from "../../data.ts";
import { withWasm } from "./pipeline.ts";

// Copies of rows are put off until somebody reads them, and attention reads through the index instead: nobody must
// be able to tell.

const heads = 2, count = 70, picks = 45, width = 6;
const rows = normals(1, heads * count * width), index = wordsBelow(2, heads * picks, count);
const copied = Float32Array.from(
  { length: heads * picks * width },
  (_, at) => {
    const pick = Math.floor(at / width), head = Math.floor(pick / picks);
    return rows[(head * count + index[pick]) * width + at % width];
  },
);

function gather(backend: Backend): DeviceArray {
  const from = { rows: backend.upload(rows), index: backend.upload(index) };
  return backend.gatherRows({ ...from, heads, count, width, picks });
}

Deno.test("gatherRows() read by attend() first is there for later operations and runs", async () => {
  await withWasm({ threads: 2 }, async (backend) => {
    const picked = gather(backend);
    const shape = { heads, queries: picks, keys: picks, features: width, valueFeatures: width, scale: 1 };
    backend.attend({ ...shape, query: picked, key: picked, value: picked });
    await backend.run([]);
    const zero = backend.upload(new Float32Array(heads * width));
    const same = backend.centreRows({ rows: picked, centre: zero, heads, count: picks, width });
    assertEquals(await backend.run([same, picked]), [copied, copied]);
  });
});

Deno.test("gatherRows() of gathered rows picks twice", async () => {
  const last = Uint32Array.from({ length: heads * 2 }, (_, at) => (at * 17) % picks);
  const twice = (backend: Backend) => {
    const [rows, index] = [gather(backend), backend.upload(last)];
    return backend.gatherRows({ rows, index, heads, count: picks, width, picks: 2 });
  };
  const reference = new ReferenceBackend();
  await withWasm({ threads: 2 }, async (backend) => {
    assertEquals(await backend.run([twice(backend)]), await reference.run([twice(reference)]));
  });
});

Deno.test("attend() gives the same bits for gathered rows and for their copies", async () => {
  await withWasm({ threads: 2 }, async (backend) => {
    const picked = gather(backend), uploaded = backend.upload(copied);
    for (const blocks of [undefined, 1, 4, 60]) {
      const shape = { heads, queries: picks, keys: picks, features: width, valueFeatures: width, scale: 1 };
      const a = backend.attend({ ...shape, query: picked, key: picked, value: picked, blocks });
      const b = backend.attend({ ...shape, query: uploaded, key: uploaded, value: uploaded, blocks });
      const [x, y] = await backend.run([a.output, b.output]);
      assertEquals(x, y, `blocks ${blocks}`);
    }
  });
});
