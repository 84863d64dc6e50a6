import { assert, assertAlmostEquals, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { bucketOf, collisionProbability, drawHashFunctions } from "../../../estimators/kde/euclidean_hash.ts";
import { RandomStream } from "../../../kernels/random.ts";

/** Mean of (1 − |z|/t)+ over standard normal z, by Simpson's rule. */
function integratedProbability(t: number): number {
  const steps = 20000, end = Math.min(t, 12), step = end / steps;
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const z = i * step, weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
    sum += weight * Math.exp(-z * z / 2) * (1 - z / t);
  }
  return Math.sqrt(2 / Math.PI) * sum * step / 3;
}

Deno.test("collisionProbability() is the integral that defines it, in every branch", () => {
  for (const t of [1e-6, 0.1, 1, 2, 2.99, 3, 3.01, 5, 8.99, 9, 9.01, 40]) {
    const expected = integratedProbability(t);
    assertAlmostEquals(collisionProbability(1, t) / expected, 1, 1e-11, `t = ${t}`);
    assertAlmostEquals(collisionProbability(3, 3 * t), collisionProbability(1, t), 1e-15);
  }
});

Deno.test("collisionProbability() falls from 1 at distance 0 to 0", () => {
  assertEquals(collisionProbability(0, 2), 1);
  let before = 1;
  for (let distance = 0.01; distance < 1000; distance *= 1.1) {
    const probability = collisionProbability(distance, 2);
    assertLess(probability, before);
    before = probability;
  }
  assertLess(before, 2e-3);
});

Deno.test("rows share a bucket as often as collisionProbability() says", () => {
  const features = 3, functions = 2, width = 1.7, runs = 20000;
  for (const distance of [0.3, 1, 2.5]) {
    const stream = new RandomStream(5, 300);
    let shared = 0;
    for (let run = 0; run < runs; run++) {
      const { directions, offsets } = drawHashFunctions(stream, functions, features);
      const project = (row: number[]) =>
        Array.from(
          { length: functions },
          (_, f) => row.reduce((sum, x, t) => sum + x * directions[f * features + t], 0),
        );
      const [a, b] = [[1, -2, 0.5], [1, -2 + distance, 0.5]].map((row) =>
        bucketOf(project(row), 0, offsets, 0, functions, width)
      );
      if (a === b) shared++;
    }
    const expected = collisionProbability(distance, width) ** functions;
    const deviation = Math.sqrt(expected * (1 - expected) / runs);
    assertLessOrEqual(Math.abs(shared / runs - expected), 5 * deviation, `distance ${distance}`);
  }
});

Deno.test("bucketOf() tells cells apart and depends on nothing else", () => {
  const offsets = Float64Array.of(0.25, 0.5), seen = new Set<number>();
  for (let i = -20; i < 20; i++) {
    for (let j = -20; j < 20; j++) {
      const bucket = bucketOf([i, j], 0, offsets, 0, 2, 1);
      assert(Number.isSafeInteger(bucket));
      assertEquals(bucketOf([i + 0.7, j + 0.4], 0, offsets, 0, 2, 1), bucket);
      seen.add(bucket);
    }
  }
  assertEquals(seen.size, 1600);
});
