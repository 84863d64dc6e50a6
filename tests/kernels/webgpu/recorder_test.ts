import { assert, assertEquals } from "@std/assert";
import { openWebGpu, type WebGpuBackend } from "../../../kernels/webgpu/backend.ts";
import { foldWorkgroups } from "../../../kernels/webgpu/engine/recorder.ts";
import { webgpuTest } from "../../backends.ts";
import { normals, wordsBelow } from "../../data.ts";
import { largestDifference } from "../../precision.ts";

Deno.test("foldWorkgroups() covers every workgroup within the limit on each dimension", () => {
  for (const workgroups of [1, 65535, 65536, 100_003, 65535 * 3 + 1, 2 ** 31]) {
    const [columns, rows] = foldWorkgroups(workgroups);
    assert(columns <= 65535 && rows <= 65535);
    assert(columns * rows >= workgroups && columns * rows - workgroups < rows);
  }
});

webgpuTest("kernels are right beyond 65,535 workgroups", async () => {
  const backend = await openWebGpu();
  const count = 65_535 * 64 + 100;
  const rows = Float32Array.from({ length: count }, (_, i) => i % 1021);
  const index = Uint32Array.from({ length: count }, (_, i) => count - 1 - i);
  const reversed = backend.gatherRows({
    rows: backend.upload(rows),
    index: backend.upload(index),
    heads: 1,
    count,
    width: 1,
    picks: count,
  });
  const [actual] = await backend.run([reversed]);
  assertEquals(actual.findIndex((x, i) => x !== rows[count - 1 - i]), -1);
  backend.destroy();
});

webgpuTest("attend() with tiles is right beyond 65,535 workgroups", async () => {
  const backend = await openWebGpu({ attendKernel: "tiles" });
  const blocks = 65_700;
  const value = normals(1, blocks);
  const { output } = backend.attend({
    heads: 1,
    queries: blocks,
    keys: blocks,
    features: 1,
    valueFeatures: 1,
    query: backend.upload(normals(2, blocks)),
    key: backend.upload(normals(3, blocks)),
    value: backend.upload(value),
    scale: 1,
    blocks,
  });
  // Each query sees the one key of its block.
  assertEquals((await backend.run([output]))[0], value);
  backend.destroy();
});

/** Uploads, hashes, sorts, gathers and attends: every kind of buffer is used. */
async function pipeline(
  backend: WebGpuBackend,
  seed: number,
  width: number,
): Promise<(Float32Array | Uint32Array)[]> {
  const heads = 2, count = 300;
  const rows = backend.upload(normals(seed, heads * count * width));
  const hyperplanes = backend.upload(normals(seed + 1, heads * 5 * width));
  const ranks = backend.angularHash({ rows, hyperplanes, heads, count, width, projections: 5 });
  const { order, position } = backend.sortByBucket({ ranks, heads, count, buckets: 32 });
  const sorted = backend.gatherRows({ rows, index: order, heads, count, width, picks: count });
  const shape = { heads, queries: count, keys: count, features: width, valueFeatures: width };
  const near = backend.attend({
    ...shape,
    query: sorted,
    key: sorted,
    value: sorted,
    scale: 0.25,
    blocks: 7,
  });
  const far = backend.attend({
    ...shape,
    query: rows,
    key: rows,
    value: sorted,
    scale: 0.5,
    queryOrder: order,
  });
  const { output } = backend.mergeAttention({ ...shape, first: near, second: far });
  const results = await backend.run([output, position]);
  backend.reset();
  return results;
}

webgpuTest("buffers used again give the same bits, whatever was in them", async () => {
  // 15 features are padded to 16, and the padding must not be what an earlier array left there.
  for (const width of [15, 16]) {
    const fresh = await Promise.all([1, 50].map(async (seed) => {
      const backend = await openWebGpu();
      const results = await pipeline(backend, seed, width);
      backend.destroy();
      return results;
    }));
    const backend = await openWebGpu();
    for (let round = 0; round < 3; round++) {
      for (const [at, seed] of [1, 50].entries()) {
        const [output, position] = await pipeline(backend, seed, width);
        assertEquals(largestDifference(output, fresh[at][0]), 0);
        assertEquals(largestDifference(position, fresh[at][1]), 0);
      }
    }
    backend.destroy();
  }
});

webgpuTest("uploads of one submission do not overwrite one another, nor what is dropped", async () => {
  const backend = await openWebGpu();
  const first = Uint32Array.from({ length: 1000 }, (_, i) => i), second = wordsBelow(1, 1000, 2 ** 31);
  backend.upload(second);
  backend.reset();
  const uploads = [first, second, first].map((words) => backend.upload(words));
  assertEquals(await backend.run(uploads), [first, second, first]);
  // A reset while a run still waits for its pipelines must not hand its buffers to the next upload.
  const rows = backend.upload(normals(1, 3000));
  const running = backend.run([
    backend.columnMean({ rows, heads: 1, count: 1000, width: 3 }),
    rows,
  ]);
  backend.reset();
  for (let i = 0; i < 4; i++) backend.upload(normals(9, 3000));
  assertEquals((await running)[1], normals(1, 3000));
  backend.destroy();
});

webgpuTest("results stay on the device between runs, and several runs may be under way", async () => {
  const backend = await openWebGpu();
  const rows = backend.upload(normals(1, 400));
  const mean = backend.columnMean({ rows, heads: 1, count: 100, width: 4 });
  const firstRun = backend.run([mean]);
  const again = backend.columnMean({ rows: mean, heads: 1, count: 1, width: 4 });
  const [[firstMean], [meanOfMean, secondMean]] = await Promise.all([
    firstRun,
    backend.run([again, mean]),
  ]);
  assertEquals(firstMean, secondMean);
  assertEquals(meanOfMean, firstMean);
  assertEquals(await backend.run([]), []);
  backend.destroy();
});

webgpuTest("empty and odd-sized arrays are read back whole", async () => {
  const backend = await openWebGpu();
  const arrays = [0, 1, 3, 2, 70_001].map((length) => wordsBelow(length, length, 2 ** 31));
  assertEquals(await backend.run(arrays.map((words) => backend.upload(words))), arrays);
  backend.destroy();
});

webgpuTest("runs one right after the other read back what each computed", async () => {
  const backend = await openWebGpu();
  // Sizes that share a staging buffer and sizes that do not, some of them while it is not yet free again.
  for (let run = 0; run < 24; run++) {
    const values = Float32Array.from({ length: [1, 60, 64, 70_000][run % 4] }, (_, at) => run + at % 7);
    const rows = backend.upload(values), heads = 1, count = values.length, width = 1;
    const centre = backend.upload(new Float32Array(1).fill(run));
    const [actual, none] = await backend.run([
      backend.centreRows({ rows, centre, heads, count, width }),
      backend.upload(new Float32Array(0)),
    ]);
    assertEquals(actual, values.map((x) => x - run));
    assertEquals(none.length, 0);
    if (run % 2) backend.reset();
    if (run % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 15));
  }
  const several = await Promise.all([1, 2, 3].map((x) => backend.run([backend.upload(Float32Array.of(x))])));
  assertEquals(several.map(([values]) => values[0]), [1, 2, 3]);
  assertEquals(await backend.run([]), []);
  backend.destroy();
});
