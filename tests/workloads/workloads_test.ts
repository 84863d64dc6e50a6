import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { families } from "../../proofs_checks/inputs/families.ts";
import { normalValues, philoxWords } from "../../proofs_checks/inputs/normal_values.ts";
import { loadWorkload, workloadNames } from "../../workloads/workloads.ts";
import { Purpose, RandomStream, seedWords } from "../../kernels/random.ts";
import type { Tensor } from "../../kernels/tensor.ts";

const shapes: [name: string, queries: number[], keys: number[], values: number[], scale: number][] = [
  ["gaussian", [1, 4096, 64], [1, 4096, 64], [1, 4096, 64], 1 / 8],
  ["clustered", [1, 4096, 64], [1, 4096, 64], [1, 4096, 64], 1 / 8],
  ["t2t-vit-1", [1, 3136, 64], [1, 3136, 64], [1, 3136, 64], 1 / 8],
  ["t2t-vit-2", [1, 784, 64], [1, 784, 64], [1, 784, 64], 1 / 8],
  ["biggan-512", [1, 4096, 64], [1, 1024, 64], [1, 1024, 256], 1],
];

/** Index of the first difference, -1 if there is none: asserting equality would print a diff of millions of values. */
const firstDifference = (a: Float32Array, b: Float32Array) =>
  a.length === b.length ? a.findIndex((x, i) => x !== b[i]) : Math.min(a.length, b.length);

/** Mean square of a tensor's values. */
const power = ({ data }: Tensor) => data.reduce((sum, x) => sum + x * x, 0) / data.length;

function logit(query: Tensor, i: number, key: Tensor, j: number, scale: number): number {
  const features = query.shape[2];
  let sum = 0;
  for (let t = 0; t < features; t++) sum += query.data[i * features + t] * key.data[j * features + t];
  return scale * sum;
}

for (const [name, ...expected] of shapes) {
  Deno.test(`loadWorkload() makes ${name} with logits of variance about 1 between independent rows`, async () => {
    const { query, key, value, scale, ...rest } = await loadWorkload(name);
    assertEquals([query.shape, key.shape, value.shape, scale], expected);
    assertEquals(rest.name, name);
    assert(rest.description.length > 20);
    assertAlmostEquals(power(query) * power(key) * 64 * scale ** 2, 1, 0.1);
    assertAlmostEquals(power(value), 1, 0.1);
  });

  Deno.test(`loadWorkload() makes the same ${name} from the same seed only`, async () => {
    const [first, same, other] = await Promise.all(
      [7, 7, 8].map((seed) => loadWorkload(name, { seed })),
    );
    for (const role of ["query", "key", "value"] as const) {
      assertEquals(firstDifference(first[role].data, same[role].data), -1);
      assertEquals(firstDifference(first[role].data, other[role].data), 0);
    }
    assertEquals(firstDifference(first.query.data.subarray(0, 64), first.key.data.subarray(0, 64)), 0);
  });

  Deno.test(`loadWorkload() draws each ${name} of a batch independently of their number`, async () => {
    const one = await loadWorkload(name), three = await loadWorkload(name, { batch: 3 });
    for (const role of ["query", "key", "value"] as const) {
      const size = one[role].data.length;
      assertEquals(three[role].shape, [3, ...one[role].shape.slice(1)]);
      assertEquals(firstDifference(three[role].data.subarray(0, size), one[role].data), -1);
      assertEquals(firstDifference(three[role].data.subarray(size, 2 * size), one[role].data), 0);
    }
  });
}

Deno.test("loadWorkload() takes n, and any seed that is a safe integer", async () => {
  const { query } = await loadWorkload("gaussian", { n: 5, seed: Number.MAX_SAFE_INTEGER });
  assertEquals(query.shape, [1, 5, 64]);
  assertEquals((await loadWorkload("clustered", { n: 1, seed: 0 })).value.shape, [1, 1, 64]);
});

Deno.test("loadWorkload() makes clusters that hold most of a query's weight", async () => {
  const { query, key, scale } = await loadWorkload("clustered", { n: 2048 });
  let share = 0;
  for (let i = 0; i < 50; i++) {
    let near = 0, total = 0;
    for (let j = 0; j < 2048; j++) {
      const value = logit(query, i, key, j, scale), weight = Math.exp(value);
      total += weight;
      // Half-way between the logits inside a cluster, 7.2, and outside, 0.
      if (value > 3.6) near += weight;
    }
    share += near / total / 50;
  }
  assert(share > 0.85 && share < 0.99, `share ${share}`);
});

Deno.test("loadWorkload() makes 131072 rows in seconds", async () => {
  const start = performance.now();
  await loadWorkload("gaussian", { n: 131072 });
  assert(performance.now() - start < 20_000);
});

Deno.test("philoxWords() gives the words of RandomStream", () => {
  for (const [seed, stream] of [[0, 0], [1, 3], [2 ** 53 - 1, 2 ** 32 - 1]]) {
    const words = new Uint32Array(400), random = new RandomStream(seed, Purpose.data, stream);
    philoxWords(words, seedWords(seed), 0, stream);
    assertEquals(words, Uint32Array.from(words, () => random.word()));
    const later = new Uint32Array(40);
    philoxWords(later, seedWords(seed), 90, stream);
    assertEquals(later, words.subarray(360));
  }
});

Deno.test("normalValues() has the moments of the normal distribution, and a prefix for every count", () => {
  const count = 1_000_001, values = normalValues(count, { seed: 3, stream: 1, deviation: 2 });
  const moment = (power: number) => values.reduce((sum, x) => sum + (x / 2) ** power / count, 0);
  // Ten standard errors: √(E[x^2p]/count) is .001, .0017, .0039, .0102.
  assertAlmostEquals(moment(1), 0, 0.01);
  assertAlmostEquals(moment(2), 1, 0.017);
  assertAlmostEquals(moment(3), 0, 0.039);
  assertAlmostEquals(moment(4), 3, 0.102);
  for (const length of [1, 2, 4095, 4096, 4097]) {
    assertEquals(
      normalValues(length, { seed: 3, stream: 1, deviation: 2 }),
      values.slice(0, length),
    );
  }
});

Deno.test("loadWorkload() makes every family of inputs by its name, draw by draw", async () => {
  // Names are unique: a family must not take the place of real data.
  assertEquals(workloadNames.length, families.length + 7);
  for (const family of families) {
    const { query, key, value, scale, name } = await loadWorkload(family.name, { n: 50, batch: 2, seed: 9 });
    assertEquals(name, family.name);
    for (const draw of [0, 1]) {
      const expected = family.generate({ n: 50, seed: 9, draw });
      assertEquals(scale, expected.scale);
      for (const [made, role] of [[query, "query"], [key, "key"], [value, "value"]] as const) {
        const size = expected[role].data.length;
        assertEquals(made.shape, [2, ...expected[role].shape.slice(1)]);
        const part = made.data.subarray(draw * size, (draw + 1) * size);
        assertEquals(firstDifference(part, expected[role].data), -1);
      }
    }
  }
});

const refused: [options: Record<string, unknown>, message: string, name?: string][] = [
  [{}, "name must be one of glove, glove-shared, sentence-encoder, ocr", "galaxies"],
  [{ n: 0 }, "n must be a positive integer: current value is 0"],
  [{ n: 2.5 }, "n must be a positive integer: current value is 2.5"],
  [{ batch: -1 }, "batch must be a positive integer: current value is -1"],
  [{ seed: -1 }, "seed must be an integer from 0 to 2^53 − 1: current value is -1"],
  [{ head: "1.0" }, "head can be chosen for sentence-encoder and ocr only: current value is 1.0"],
  [{ n: 100 }, "n is fixed at 3136: current value is 100", "t2t-vit-1"],
  [{ n: 200_000 }, "3 · n · batch must be at most 341479: current value is 600000", "glove"],
  [{ head: "3.0" }, "head must be LAYER.HEAD", "sentence-encoder"],
  [{ head: "1" }, "head must be LAYER.HEAD", "sentence-encoder"],
  [{ head: "1.4" }, "head must be LAYER.HEAD, layer 1 or 2, head 0 to 3 or all", "sentence-encoder"],
  [{ head: "1.8" }, "head must be LAYER.HEAD, layer 1 or 2, head 0 to 7 or all", "ocr"],
  [{ head: "2.10" }, "head must be LAYER.HEAD", "ocr"],
  [{ n: 2 }, "n must be from 3 to 16384 for layer 1: current value is 2", "ocr"],
  [{ n: 4097, head: "2.0" }, "n must be from 3 to 4096 for layer 2: current value is 4097", "ocr"],
];

for (const [options, message, name = "gaussian"] of refused) {
  Deno.test(`loadWorkload() refuses ${name} with ${JSON.stringify(options)}`, async () => {
    const error = await assertRejects(() => loadWorkload(name, options), RangeError, message);
    assert(error.message.startsWith(`Cannot load workload ${name}: `));
  });
}

Deno.test("loadWorkload() stops with the signal's reason", async () => {
  for (const name of workloadNames) {
    const reason = new Error("changed my mind");
    const error = await assertRejects(() => loadWorkload(name, { signal: AbortSignal.abort(reason) }));
    assertEquals(error, reason);
  }
});
