import { assertEquals, assertLessOrEqual } from "@std/assert";
import { multiplyHigh, philox, RandomStream, seedWords } from "../../kernels/random.ts";
import { onEachBackend } from "../backends.ts";
import { besideReference } from "../beside_reference.ts";
import { normals, wordsBelow } from "../data.ts";
import { largestDifference, largestMagnitude } from "../precision.ts";

Deno.test("philox() gives the published known answers", () => {
  const hex = (words: number[]) => words.map((word) => word.toString(16).padStart(8, "0")).join(" ");
  const ones = 0xffffffff;
  assertEquals(hex(philox([0, 0], [0, 0, 0, 0])), "6627e8d5 e169c58d bc57ac4c 9b00dbd8");
  assertEquals(hex(philox([ones, ones], [ones, ones, ones, ones])), "408f276d 41c83b0e a20bc7c6 6d5451fd");
  assertEquals(
    hex(philox([0xa4093822, 0x299f31d0], [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344])),
    "d16cfe09 94fdcceb 5001e420 24126ea1",
  );
});

Deno.test("multiplyHigh() agrees with big integers", () => {
  const words = [...wordsBelow(1, 200, 2 ** 32), 0, 1, 0xffffffff, 0x80000000];
  for (const a of words) {
    for (const b of words.slice(-20)) {
      assertEquals(multiplyHigh(a, b), Number((BigInt(a) * BigInt(b)) >> 32n));
    }
  }
});

Deno.test("seedWords() keeps all 53 bits of a seed", () => {
  assertEquals(seedWords(2 ** 53 - 1), [0xffffffff, 0x1fffff]);
});

Deno.test("RandomStream.distinct() draws distinct numbers, all of them if asked", () => {
  const drawn = new RandomStream(3, 9).distinct(100, 100);
  assertEquals([...drawn].sort((a, b) => a - b), Array.from({ length: 100 }, (_, at) => at));
});

onEachBackend("keyImportance() follows its formula", async (backend) => {
  for (const [heads, keys, probes, valueFeatures] of [[1, 1, 1, 1], [2, 300, 5, 15], [1, 5000, 12, 64]]) {
    const probabilities = normals(1, heads * probes * keys).map((x) => Math.abs(x) / keys);
    const value = normals(2, heads * keys * valueFeatures, 1e-3),
      centre = normals(3, heads * valueFeatures, 1e-3);
    const { actual: [importance], expected: [exact] } = await besideReference(backend, (on) => [
      on.keyImportance({
        probabilities: on.upload(probabilities),
        probes,
        value: on.upload(value),
        centre: on.upload(centre),
        valueScale: 1e3,
        heads,
        keys,
        valueFeatures,
        columnShare: 0.5,
        valueShare: 0.3,
        uniformShare: 0.2,
      }),
    ]);
    const largest = largestMagnitude(exact);
    assertLessOrEqual(largestDifference(importance, exact), 1e-5 * largest, `${heads}, ${keys}`);
  }
});

onEachBackend("keyImportance() is uniform when values and probabilities are zero", async (backend) => {
  const keys = 10;
  const [importance] = await backend.run([
    backend.keyImportance({
      probabilities: backend.upload(new Float32Array(2 * keys)),
      probes: 2,
      value: backend.upload(new Float32Array(keys * 3)),
      centre: backend.upload(new Float32Array(3)),
      valueScale: 1,
      heads: 1,
      keys,
      valueFeatures: 3,
      columnShare: 0.5,
      valueShare: 0.25,
      uniformShare: 0.25,
    }),
  ]);
  assertLessOrEqual(largestDifference(importance, new Float32Array(keys).fill(0.1)), 1e-7);
});

onEachBackend("sampleKeys() draws the reference's keys with the reference's weights", async (backend) => {
  for (
    const [heads, keys, samples] of [[1, 1, 1], [2, 100, 100], [3, 3136, 86], [1, 131072, 256], [2, 257, 13]]
  ) {
    // Multiples of a power of two, so that every backend's total, and so its quantised weights, are the same.
    const importance = Float32Array.from(wordsBelow(8, heads * keys, 4096), (x) => x / 2 ** 20);
    for (const seed of [0, 12345678901]) {
      const { actual, expected } = await besideReference(backend, (on) => {
        const drawn = on.sampleKeys({
          importance: on.upload(importance),
          heads,
          keys,
          samples,
          seed: seedWords(seed),
          purpose: 3,
          firstStream: 5,
        });
        return [drawn.index, drawn.logWeight];
      });
      assertEquals(actual[0], expected[0], `${heads}, ${keys}, ${samples}, seed ${seed}`);
      assertLessOrEqual(largestDifference(actual[1], expected[1]), 1e-5);
    }
  }
});

onEachBackend(
  "sampleKeys() is uniform when nothing matters, and certain when one key does",
  async (backend) => {
    const keys = 64;
    const draw = (importance: Float32Array) =>
      backend.run(
        [
          backend.sampleKeys({
            importance: backend.upload(importance),
            heads: 1,
            keys,
            samples: keys,
            seed: [1, 2],
            purpose: 3,
            firstStream: 0,
          }).index,
        ],
      );
    assertEquals(await draw(new Float32Array(keys)), [Uint32Array.from({ length: keys }, (_, at) => at)]);
    const one = new Float32Array(keys);
    one[17] = 1e-20;
    const [index] = await draw(one);
    assertEquals(index.filter((key) => key !== 17).length, 0);
  },
);
