import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { onnxAttention } from "../../bench/peers/onnx_attention.ts";
import { readMobyDick } from "../../workloads/moby_dick.ts";
import { ocrFolder, openOcrModel, PROJECTIONS, splitProjections } from "../../workloads/ocr/model.ts";
import type { OnnxTensor } from "../../workloads/ocr/runtime.ts";
import { subgraph } from "../../workloads/ocr/subgraph.ts";
import { charactersOf, drawLine } from "../../workloads/ocr/text_line.ts";
import { plainAttention } from "../../workloads/sentence_encoder/plain_attention.ts";
import { loadWorkload } from "../../workloads/workloads.ts";

/** Probabilities of the blank, of every character of the dictionary, and of the space, [1, n, 6625]. */
const SYMBOLS = "softmax_11.tmp_0";
/** What the layers' own attention gives, [1, 8, n, 15]. */
const ATTENDED = ["p2o.MatMul.5", "p2o.MatMul.17"];

/** The likeliest symbol of every row, repetitions joined and blanks left out. */
async function textOf({ data, dims: [, n, symbols] }: OnnxTensor): Promise<string> {
  const dictionary = (await readFile(join(await ocrFolder(), "ppocr_keys_v1.txt"), "utf8")).split("\n");
  const alphabet = ["", ...dictionary, " "].slice(0, symbols);
  assertEquals(alphabet.length, symbols);
  let text = "", last = 0;
  for (let i = 0; i < n; i++) {
    const row = data.subarray(i * symbols, (i + 1) * symbols), symbol = row.indexOf(Math.max(...row));
    if (symbol !== last) text += alphabet[symbol];
    last = symbol;
  }
  return text;
}

Deno.test("the OCR model reads what is drawn for it", async () => {
  const model = await openOcrModel([SYMBOLS]), novel = await readMobyDick();
  const read = async (text: string, n: number) =>
    await textOf((await model.run(drawLine(text, n), [1, 3, 48, 8 * n]))[SYMBOLS]);
  assertEquals(await read("Call me Ishmael. Some years ago", 96), "Call me Ishmael. Some years ago");
  for (const start of [0, 5000, 600_000]) {
    const line = novel.slice(start, start + charactersOf(512)).trim();
    const wanted = line.split(/[ —]/), found = (await read(line, 512)).split(/[ —-]/);
    const right = wanted.filter((word) => found.includes(word)).length;
    assert(right >= 0.85 * wanted.length, `${right} of ${wanted.length}: ${found.join(" ")}`);
  }
  await model.release();
});

Deno.test("loadWorkload() gives the OCR heads that the model attends with", async () => {
  const n = 96, text = (await readMobyDick()).slice(0, charactersOf(n));
  const model = await openOcrModel([...PROJECTIONS, ...ATTENDED]);
  const outputs = await model.run(drawLine(text, n), [1, 3, 48, 8 * n]);
  await model.release();
  for (const layer of [1, 2]) {
    const { query, key, value, scale } = await loadWorkload("ocr", { n, head: `${layer}.all` });
    // Layer 1 alone is a smaller graph, which must give the same.
    const whole = splitProjections(outputs[PROJECTIONS[layer - 1]]);
    assertEquals([query.shape, key.shape, value.shape].map(String), Array(3).fill(`8,${n},15`));
    query.data.forEach((x, i) => assertAlmostEquals(x, whole.query.data[i], 1e-4));
    assertEquals(scale, 1 / Math.sqrt(15));
    const { data } = await plainAttention({})(query, key, value);
    const own = outputs[ATTENDED[layer - 1]];
    assertEquals(own.dims, [1, 8, n, 15]);
    data.forEach((x, i) => assertAlmostEquals(x, own.data[i], 1e-4));
  }
});

/** On the first 512 rows. Head 2.3 is sharp, the others are broad. */
const LARGEST_LOGITS: Record<string, number[]> = {
  "1.all": [3.369, 3.785, 4.417, 3.117, 2.511, 3.920, 4.506, 4.136],
  "2.all": [5.407, 6.407, 2.511, 44.734, 4.045, 4.323, 2.492, 3.294],
};

for (const [head, expected] of Object.entries(LARGEST_LOGITS)) {
  Deno.test(`loadWorkload() gives the OCR heads ${head} with the logits that were measured`, async () => {
    const { query, key, scale } = await loadWorkload("ocr", { head });
    const [heads, n, features] = query.shape;
    assertEquals([heads, n], [8, 512]);
    expected.forEach((logit, h) => {
      let largest = -Infinity;
      for (let i = h * n; i < (h + 1) * n; i++) {
        for (let j = h * n; j < (h + 1) * n; j++) {
          let sum = 0;
          for (let t = 0; t < features; t++) {
            sum += query.data[i * features + t] * key.data[j * features + t];
          }
          largest = Math.max(largest, scale * sum);
        }
      }
      assertAlmostEquals(largest, logit, 0.02);
    });
  });
}

Deno.test("loadWorkload() picks OCR heads and consecutive stretches of the text", async () => {
  const n = 48, size = n * 15;
  const all = await loadWorkload("ocr", { n, head: "1.all", batch: 2 });
  assertEquals(all.key.shape, [16, n, 15]);
  const third = await loadWorkload("ocr", { n, head: "1.2", batch: 2 });
  assertEquals(third.key.shape, [2, n, 15]);
  for (const b of [0, 1]) {
    assertEquals(
      third.value.data.subarray(b * size, (b + 1) * size),
      all.value.data.subarray((8 * b + 2) * size, (8 * b + 3) * size),
    );
  }
  assert(third.value.data[0] !== third.value.data[size]);
  const single = await loadWorkload("ocr", { n });
  assertEquals(single.query.data, all.query.data.subarray(0, size));
});

Deno.test("loadWorkload() refuses more lines than the text has, and stops between lines", async () => {
  await assertRejects(
    () => loadWorkload("ocr", { n: 512, batch: 100_000 }),
    RangeError,
    "at n = 512, where the text ends: current value is 100000",
  );
  const controller = new AbortController();
  const onProgress = (done: number, _total: number, what: string) => {
    if (what === "reading lines of text" && done === 1) controller.abort();
  };
  const { signal } = controller;
  await assertRejects(() => loadWorkload("ocr", { n: 24, batch: 3, onProgress, signal }), DOMException);
});

Deno.test("drawLine() draws black on white, in three colours alike", () => {
  const n = 6, width = 48, image = drawLine("I 漢", n), plane = 48 * width;
  assertEquals(image.length, 3 * plane);
  const row = (y: number) => [...image.subarray(y * width, (y + 1) * width)];
  const dots = (pattern: string) => [...pattern].flatMap((dot) => Array(4).fill(dot === "#" ? -1 : 1));
  assertEquals(row(5), dots("............"));
  assertEquals(row(6), dots(".###........"));
  assertEquals(row(10), dots("..#........."));
  assertEquals(row(33), dots(".###........"));
  assertEquals(row(34), dots("............"));
  for (const colour of [1, 2]) {
    assertEquals(image.subarray(colour * plane, (colour + 1) * plane), image.subarray(0, plane));
  }
  assertEquals(drawLine("", n).every((x) => x === 1), true);
  assertEquals(drawLine("III", n), drawLine("II", n));
});

Deno.test("subgraph() keeps the nodes that a tensor depends on, and refuses what is no model", () => {
  const model = onnxAttention(4, 5, 3, 2);
  const words = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const scores = words(subgraph(model, ["s"]));
  assert(scores.includes("FusedMatMul") && !scores.includes("Softmax"));
  const whole = subgraph(model, ["o"]);
  assert(words(whole).includes("Softmax") && whole.length < model.length);
  assertEquals(subgraph(whole, ["o"]), whole);
  const refused: [model: Uint8Array, message: string][] = [
    [new Uint8Array(), "it must have one graph: current value is 0"],
    [model.slice(0, -1), "a field must end by byte"],
    [Uint8Array.of(58, 200), "a field must end by byte 2: current value is 3"],
    [Uint8Array.of(3), "wire types must be 0, 1, 2 or 5: current value is 3"],
    [model, "a node must give each tensor asked for: current value is none for x"],
  ];
  for (const [bytes, message] of refused) assertThrows(() => subgraph(bytes, ["x"]), TypeError, message);
});
