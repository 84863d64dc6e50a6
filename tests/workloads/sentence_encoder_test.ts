import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { loadSentenceEncoder } from "../../workloads/sentence_encoder/model.ts";
import { plainAttention } from "../../workloads/sentence_encoder/plain_attention.ts";
import { readMobyDick } from "../../workloads/moby_dick.ts";
import { firstTokens } from "../../workloads/sentence_encoder/text.ts";
import { loadWorkload } from "../../workloads/workloads.ts";
import { attendAtOnce } from "../../kernels/reference/attend.ts";
import { floats, floatValues } from "../../kernels/reference/array.ts";
import type { Tensor } from "../../kernels/tensor.ts";
import { relativeOutputError } from "../../proofs_checks/measures/spectral.ts";
import { normals } from "../data.ts";

/** On the first 2048 tokens of Moby Dick, as a separate implementation measured them. */
const HEADS: Record<string, { largestLogit: number; meanValueError: number }[]> = {
  "1.all": [
    { largestLogit: 13.0352, meanValueError: 0.3939 },
    { largestLogit: 49.8928, meanValueError: 0.5139 },
    { largestLogit: 18.9996, meanValueError: 0.4319 },
    { largestLogit: 31.9501, meanValueError: 0.4962 },
  ],
  "2.all": [
    { largestLogit: 8.7408, meanValueError: 0.2138 },
    { largestLogit: 10.1461, meanValueError: 0.1935 },
    { largestLogit: 6.7693, meanValueError: 0.1861 },
    { largestLogit: 5.2464, meanValueError: 0.1441 },
  ],
};

function largestLogit(query: Tensor, key: Tensor, head: number, scale: number): number {
  const [, n, features] = query.shape;
  let largest = -Infinity;
  for (let i = head * n; i < (head + 1) * n; i++) {
    for (let j = head * n; j < (head + 1) * n; j++) {
      let sum = 0;
      for (let t = 0; t < features; t++) sum += query.data[i * features + t] * key.data[j * features + t];
      if (sum > largest) largest = sum;
    }
  }
  return scale * largest;
}

/** Every row of a head replaced by the mean of the head's rows. */
function meanRows({ data, shape }: Tensor): Tensor {
  const [heads, n, features] = shape, means = new Float64Array(heads * features);
  const column = (i: number) => Math.floor(i / (n * features)) * features + i % features;
  for (let i = 0; i < data.length; i++) means[column(i)] += data[i] / n;
  return { data: data.map((_, i) => means[column(i)]), shape };
}

for (const [head, expected] of Object.entries(HEADS)) {
  Deno.test(`loadWorkload() gives the pretrained heads ${head} that were published`, async () => {
    const { query, key, value, scale } = await loadWorkload("sentence-encoder", { n: 2048, head });
    const features = head === "1.all" ? 64 : 128;
    assertEquals([query.shape, key.shape, value.shape].map(String), Array(3).fill(`4,2048,${features}`));
    assertEquals(scale, 1 / Math.sqrt(features));
    const errors = relativeOutputError(meanRows(value), await plainAttention({})(query, key, value));
    expected.forEach(({ largestLogit: logit, meanValueError }, h) => {
      assertAlmostEquals(largestLogit(query, key, h, scale), logit, 2e-4);
      assertAlmostEquals(errors[h], meanValueError, 1e-4);
    });
  });
}

Deno.test("loadWorkload() picks heads and stretches of the text", async () => {
  const n = 96;
  const all = await loadWorkload("sentence-encoder", { n, head: "1.all", batch: 2 });
  assertEquals(all.key.shape, [8, n, 64]);
  const third = await loadWorkload("sentence-encoder", { n, head: "1.2", batch: 2 });
  assertEquals(third.key.shape, [2, n, 64]);
  const size = n * 64;
  for (const b of [0, 1]) {
    assertEquals(
      third.key.data.subarray(b * size, (b + 1) * size),
      all.key.data.subarray((4 * b + 2) * size, (4 * b + 3) * size),
    );
  }
  const single = await loadWorkload("sentence-encoder", { n });
  assertEquals(single.query.data, all.query.data.subarray(0, size));
});

Deno.test("loadWorkload() refuses more tokens than the text has", async () => {
  await assertRejects(
    () => loadWorkload("sentence-encoder", { n: 16384, batch: 22 }),
    RangeError,
    "n · batch must be at most 344554, the tokens of the text: current value is 360448",
  );
});

Deno.test("loadWorkload() runs the layer below a head on the caller's attention, and can be stopped in it", async () => {
  const shapes: string[] = [];
  const attention = (query: Tensor, key: Tensor, value: Tensor) => {
    shapes.push(String(query.shape));
    return plainAttention({})(query, key, value);
  };
  const brought = await loadWorkload("sentence-encoder", { n: 64, head: "2.1", attention });
  assertEquals(shapes, ["4,64,64"]);
  assertEquals(brought, await loadWorkload("sentence-encoder", { n: 64, head: "2.1" }));

  const controller = new AbortController();
  const onProgress = (_done: number, _total: number, what: string) => {
    if (what === "attention of a lower layer") controller.abort();
  };
  const { signal } = controller;
  await assertRejects(
    () => loadWorkload("sentence-encoder", { n: 256, head: "2.1", onProgress, signal }),
    DOMException,
  );
});

Deno.test("plainAttention() agrees with the reference", async () => {
  const heads = 2, n = 130, features = 5;
  const [query, key, value] = [1, 2, 3].map((seed) => ({
    data: normals(seed, heads * n * features, 3),
    shape: [heads, n, features],
  }));
  const { output } = attendAtOnce({
    heads,
    queries: n,
    keys: n,
    features,
    valueFeatures: features,
    scale: 1 / Math.sqrt(features),
    query: floats(Float64Array.from(query.data)),
    key: floats(Float64Array.from(key.data)),
    value: floats(Float64Array.from(value.data)),
  });
  const expected = floatValues(output), { data } = await plainAttention({})(query, key, value);
  // The inner products differ in the order of rounding, so the last bit of an f32 may.
  data.forEach((x, i) => assertAlmostEquals(x, expected[i], 2 ** -23 * Math.max(1, Math.abs(expected[i]))));
});

/** Tokens and first values of the sentence vector from the package's own tokeniser and TensorFlow.js graph. */
const SENTENCES: [text: string, tokens: number[], vector: number[]][] = [
  [
    "Call me Ishmael.",
    [3650, 84, 16, 552, 252, 283, 6],
    [-0.06058988, 0.01264057, -0.0487822, -0.04967884],
  ],
  [
    "Hello, world! The quick brown fox jumps over the lazy dog.",
    [341, 4125, 8, 311, 78, 34, 2280, 3744, 1394, 152, 2009, 7, 132, 9, 6266, 959, 6],
    [-0.00623663, -0.05150048, 0.03971721, -0.03780814],
  ],
  [
    "naïve café ① ½ 漢字漢 emoji 🐳🐳 ﬁne  double  space",
    [
      1216,
      0,
      105,
      976,
      209,
      1133,
      207,
      207,
      7935,
      288,
      30,
      0,
      299,
      451,
      2501,
      30,
      0,
      839,
      30,
      1991,
      30,
      1016,
    ],
    [0.06125293, -0.0562466, 0.00208756, -0.00978177],
  ],
];

Deno.test("SentenceEncoder tokenises and embeds as the published model does", async () => {
  const encoder = await loadSentenceEncoder();
  for (const [text, tokens, vector] of SENTENCES) {
    assertEquals(encoder.tokeniser.encode(text), tokens);
    const embedded = await encoder.forward(tokens, plainAttention({}));
    assertEquals(embedded.length, 512);
    vector.forEach((expected, i) => assertAlmostEquals(embedded[i], expected, 1e-6));
    assertAlmostEquals(Math.hypot(...embedded), 1, 1e-6);
  }
  assertEquals(encoder.tokeniser.encode(""), []);
});

Deno.test("SentenceEncoder shows whether attention was replaced", async () => {
  const encoder = await loadSentenceEncoder();
  const tokens = firstTokens(await readMobyDick(), encoder.tokeniser, 128);
  const exact = await encoder.forward(tokens, plainAttention({}));
  const mean = await encoder.forward(tokens, (_query, _key, value) => meanRows(value));
  const cosine = exact.reduce((sum, x, i) => sum + x * mean[i], 0);
  assert(cosine < 0.9, `cosine ${cosine}`);
});
