import { assertEquals, assertLess } from "@std/assert";
import { exactAttention } from "../../../estimators/core/exact.ts";
import { makeProblem, type Problem } from "../../../estimators/core/problem.ts";
import { planByVariance } from "../../../estimators/methods/tilted_tree/causal_plan.ts";
import {
  followsDirections,
  measureSpreads,
  takeDirections,
} from "../../../estimators/methods/tilted_tree/causal_spread.ts";
import { attendByVariance } from "../../../estimators/methods/tilted_tree/tilted_tree.ts";
import { tensor } from "../../../kernels/tensor.ts";
import { openWasm } from "../../../kernels/wasm/backend.ts";
import { inputFamily } from "../../../proofs_checks/inputs/families.ts";
import { onEachBackend } from "../../backends.ts";
import { normals } from "../../data.ts";
import { largestDifference } from "../../precision.ts";

/** Σ ‖output − exact‖² over Σ ‖exact‖², its root. */
function frobenius(output: Float32Array, exact: Float32Array): number {
  let error = 0, norm = 0;
  exact.forEach((x, at) => {
    error += (x - output[at]) ** 2;
    norm += x * x;
  });
  return Math.sqrt(error / norm);
}

/** The variance of the logits of all queries with the keys that are left, about the means of both. */
function varianceOf(
  { heads, query, key, features: d, scale }: Problem,
  head: number,
  left: readonly number[],
) {
  const centred = (data: Float32Array, rows: readonly number[]) => {
    const from = head * data.length / heads;
    const mean = Float64Array.from(
      { length: d },
      (_, c) => rows.reduce((sum, row) => sum + data[from + row * d + c], 0) / rows.length,
    );
    return rows.map((row) => mean.map((x, c) => data[from + row * d + c] - x));
  };
  const queries = centred(query, [...Array(query.length / heads / d).keys()]), keys = centred(key, left);
  let sum = 0;
  for (const q of queries) {
    for (const k of keys) sum += q.reduce((product, x, c) => product + x * k[c], 0) ** 2;
  }
  return scale ** 2 * sum / (queries.length * keys.length);
}

onEachBackend(
  "the variance of logits is that of what can be seen, whatever the size of numbers, and lies along as many directions as there are features",
  async (backend) => {
    const shape = { heads: 2, queries: 90, keys: 120 };
    for (const factor of [1, 2 ** 70, 2 ** -70]) {
      // Of another share of the keys in each head.
      const keyMask = Array.from({ length: 240 }, (_, at) => (at * 7 + 3) % 5 > at / 120 % 3);
      const rows = (seed: number, count: number, width: number) =>
        tensor(normals(seed, 2 * count * width), [2, count, width]);
      const plain = makeProblem(rows(1, 90, 6), rows(2, 120, 6), rows(3, 120, 5), { causal: true, keyMask });
      const query = plain.query.map((x) => x * factor);
      const key = plain.key.map((x, at) => keyMask[Math.floor(at / plain.features)] ? x : 1e9);
      const problem = { ...plain, query, key, scale: plain.scale / factor };
      const spreads = await measureSpreads(backend, problem);
      spreads.forEach(({ all, along }, head) => {
        const left = [...Array(shape.keys).keys()].filter((at) => keyMask[head * shape.keys + at]);
        const expected = varianceOf(plain, head, left);
        assertLess(Math.abs(all / expected - 1), 1e-4, `${all} ${expected}`);
        assertLess(Math.abs(along.reduce((a, b) => a + b, 0) / all - 1), 1e-3);
      });
      const { query: map, directions } = takeDirections(spreads[0], 4);
      assertEquals([map.length, directions], [4 * problem.features, 4]);
      assertEquals(
        takeDirections(spreads[0], 5).query.subarray(0, map.length).map(Math.abs),
        map.map(Math.abs),
      );
    }
  },
);

Deno.test("logits that vary more get more directions and longer lists, in which queries are asked; so do longer sequences", () => {
  const { query, key, value, scale } = inputFamily("gaussian").generate({ n: 4096, seed: 1 });
  const problem = makeProblem(query, key, value, { scale, causal: true });
  const planOf = (problem: Problem, all: number) =>
    planByVariance(problem, {
      all,
      along: new Float64Array(12).fill(0.07 * all),
    });
  const numbers = [0.1, 1.2, 3, 20].map((all) => {
    const { directions, entries, looks } = planOf(problem, all);
    return [directions, entries, looks];
  });
  assertEquals(numbers.map(([directions]) => directions), [4, 4, 12, 12]);
  assertEquals(numbers.map(([, , looks]) => looks! > 0), [false, false, true, true]);
  assertEquals(numbers[0][1], numbers[1][1]);
  assertLess(2 * numbers[1][1]!, numbers[2][1]!);
  const longer = planOf({ ...problem, queries: 16384, keys: 16384, period: 16384 }, 20);
  assertLess(numbers[3][1]!, longer.entries);
  assertLess(12, longer.directions);
});

Deno.test("few directions are followed, many are not", async () => {
  const backend = await openWasm();
  const expected: [string, boolean | undefined][] = [
    ["clustered", true],
    ["low-rank", true],
    ["gaussian", false],
    ["sink-key", false],
    ["huge-logits", false],
  ];
  for (const [family, follows] of expected) {
    const { query, key, value, scale } = inputFamily(family).generate({ n: 4096, seed: 6 });
    const problem = makeProblem(query, key, value, { scale, causal: true });
    assertEquals((await measureSpreads(backend, problem)).map(followsDirections), [follows], family);
  }
  // Few samples of few features may vary along few directions by chance.
  const { query, key, value, scale } = inputFamily("gaussian").generate({ n: 1000, seed: 6, features: 16 });
  const problem = makeProblem(query, key, value, { scale, causal: true });
  assertEquals((await measureSpreads(backend, problem)).map(followsDirections), [undefined]);
  backend.destroy();
});

Deno.test("heads whose logits vary differently have trees of their own, each with rows held out", async () => {
  const backend = await openWasm(), [sharp, smooth] = [3, 0.3];
  try {
    const given = inputFamily("clustered").generate({ n: 1600, seed: 5 });
    const one = makeProblem(given.query, given.key, given.value, { scale: given.scale, causal: true });
    const factors = [smooth, sharp, sharp, smooth];
    const repeated = (data: Float32Array, by: readonly number[]) =>
      Float32Array.from(
        { length: by.length * data.length },
        (_, at) => by[Math.floor(at / data.length)] * data[at % data.length],
      );
    const problem: Problem = {
      ...one,
      heads: 4,
      query: repeated(one.query, factors),
      key: repeated(one.key, [1, 1, 1, 1]),
      value: repeated(one.value, [1, 1, 1, 1]),
    };
    const spreads = await measureSpreads(backend, problem);
    assertLess(10 * spreads[0].all, spreads[1].all);
    const result = await attendByVariance(backend, problem, spreads, 3, {});
    const exact = await exactAttention(backend, problem), size = exact.output.length / 4;
    const unasked = { ...problem, query: new Float32Array(problem.query.length) };
    const mean = (await exactAttention(backend, unasked)).output;
    backend.reset();
    assertEquals(result.heldOut!.length, 4);
    for (let head = 0; head < 4; head++) {
      const own = (data: Float32Array) => data.subarray(head * size, (head + 1) * size);
      // Where queries look at all keys about alike, outputs are small and errors a large share of them, but a smaller one than of the mean value.
      assertLess(
        frobenius(own(result.output), own(exact.output)),
        0.9 * frobenius(own(mean), own(exact.output)),
      );
      assertLess(frobenius(own(result.output), own(exact.output)), factors[head] > 1 ? 0.25 : 0.5);
      for (const pick of result.heldOut![head].picks) {
        const row = pick * problem.valueFeatures, end = row + problem.valueFeatures;
        const difference = largestDifference(
          own(result.output).subarray(row, end),
          own(exact.output).subarray(row, end),
        );
        assertLess(difference, 1e-5);
      }
    }
    const again = await attendByVariance(backend, problem, spreads, 3, {});
    assertEquals(again.output, result.output);
  } finally {
    backend.destroy();
  }
});
