import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readVectorRows } from "../../workloads/vector_rows.ts";
import { loadWorkload } from "../../workloads/workloads.ts";

/** The first features of the word "the", from the published GloVe 6B.100d file. */
const THE = new Float32Array([-0.038194, -0.24487, 0.72812, -0.39961, 0.083172, 0.043953, -0.39141, 0.3344]);

Deno.test("loadWorkload() reads GloVe in consecutive blocks of rows", async () => {
  const steps: number[] = [];
  const small = await loadWorkload("glove", { n: 10, onProgress: (done, total) => steps.push(done / total) });
  assertEquals([small.query.shape, small.scale], [[1, 10, 100], 0.1]);
  assertEquals(small.query.data.subarray(0, 8), THE);
  assert(steps.length >= 3 && steps.at(-1) === 1 && steps.every((share) => share >= 0 && share <= 1));

  const large = await loadWorkload("glove", { n: 30 });
  assertEquals(
    large.query.data,
    new Float32Array([...small.query.data, ...small.key.data, ...small.value.data]),
  );
  const batch = await loadWorkload("glove", { n: 10, batch: 2 });
  assertEquals(batch.key.shape, [2, 10, 100]);
  assertEquals(batch.query.data.subarray(0, 1000), small.query.data);
  assertEquals(batch.query.data.subarray(1000), large.key.data.subarray(0, 1000));
});

Deno.test("loadWorkload() reads GloVe rows of the length that the file states", async () => {
  const { query } = await loadWorkload("glove", { n: 1 });
  assertAlmostEquals(Math.hypot(...query.data), 5.821154, 1e-6);
});

Deno.test("glove-shared has the same rows as queries and as keys, divided, and the next as values", async () => {
  const plain = await loadWorkload("glove", { n: 10 }),
    { query, key, value, scale } = await loadWorkload("glove-shared", { n: 10 });
  assertEquals([scale, query.shape], [1, [1, 10, 100]]);
  assertEquals(query.data, key.data);
  query.data.forEach((x, at) => assertAlmostEquals(x * 10 ** 0.25, plain.query.data[at], 1e-6));
  assertEquals(value.data, plain.key.data);
  const batch = await loadWorkload("glove-shared", { n: 5, batch: 2 });
  assertEquals(
    batch.key.data.subarray(500),
    Float32Array.from(plain.key.data.subarray(0, 500), (x) => x / 10 ** 0.25),
  );
});

async function read(text: string, rows: number, features = 2): Promise<Float32Array> {
  const folder = await mkdtemp(join(tmpdir(), "glove-"));
  try {
    await writeFile(join(folder, "v.json"), text);
    return await readVectorRows(join(folder, "v.json"), rows, features);
  } finally {
    await rm(folder, { recursive: true });
  }
}

Deno.test("readVectorRows() takes words of quotes, backslashes and brackets", async () => {
  const words = ["the", '"', "\\", '\\"]', "[", "]", "日本"];
  const entries = words.map((word, i) => `${JSON.stringify(word)}:[${i},-${i}.5,1,${i}]`);
  // "]" as a key would end a list early if keys were not skipped as strings.
  const text = `{"words":${JSON.stringify(words)},"vectors":{${entries.join(",")}},"unkVector":[]}`;
  const expected = new Float32Array(words.flatMap((_, i) => [i, -(i + 0.5)]));
  assertEquals(await read(text, words.length), expected);
});

Deno.test("readVectorRows() takes rows and a marker that lie across chunks", async () => {
  for (const padding of [(1 << 20) - 5, (1 << 20) - 20, (1 << 21) - 1]) {
    const text = `{"words":["${"x".repeat(padding)}"],"vectors":{"a":[1,2,9,0],"b":[3,4,9,1]}}`;
    assertEquals(await read(text, 2), new Float32Array([1, 2, 3, 4]));
  }
});

Deno.test("readVectorRows() refuses a file of another form", async () => {
  const refused: [text: string, message: string][] = [
    ["", "must hold 2 rows: it ends after row 0"],
    ['{"vectors":{"a":[1,2,9,0]', "must hold 2 rows: it ends after row 1"],
    ['{"vectors":{"a":[1,2,9,0],"b":[3,4,9', "must hold 2 rows: it ends after row 1"],
    ['{"vectors":{"a":[1,2,9,0],"b":[3,4,5,9,1]}}', "row 1 must hold 2 values, their norm and its index"],
    ['{"vectors":{"a":[1,2,9,1],"b":[3,4,9,0]}}', "row 0 must hold 2 values, their norm and its index"],
  ];
  for (const [text, message] of refused) await assertRejects(() => read(text, 2), TypeError, message);
});
