import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { exactAttention } from "../../../estimators/core/exact.ts";
import { makeProblem, type Problem, type ProblemOptions } from "../../../estimators/core/problem.ts";
import { relativeError, sumsOfHeads, totalOf } from "../../../estimators/methods/held_out.ts";
import { approximateAttention, runMethod } from "../../../estimators/methods/visible.ts";
import {
  cutPositions,
  diagonalKeys,
  endsOfBlocks,
  orderByBlocks,
  seenKeys,
} from "../../../estimators/methods/tilted_tree/causal_blocks.ts";
import { tiltCausalHeads } from "../../../estimators/methods/tilted_tree/causal_heads.ts";
import {
  type CausalPlan,
  planByVariance,
  planCausalTree,
} from "../../../estimators/methods/tilted_tree/causal_plan.ts";
import {
  followsDirections,
  measureSpreads,
  takeDirections,
} from "../../../estimators/methods/tilted_tree/causal_spread.ts";
import { attendByVariance, tiltedTree } from "../../../estimators/methods/tilted_tree/tilted_tree.ts";
import { EMPTY } from "../../../kernels/backend.ts";
import { ReferenceBackend } from "../../../kernels/reference/backend.ts";
import { tensor } from "../../../kernels/tensor.ts";
import { openWasm } from "../../../kernels/wasm/backend.ts";
import { inputFamily } from "../../../proofs_checks/inputs/families.ts";
import { onEachBackend } from "../../backends.ts";
import { normals } from "../../data.ts";
import { largestDifference } from "../../precision.ts";

interface Shape {
  readonly heads: number;
  /** Query heads that share a key head. */
  readonly group: number;
  readonly queries: number;
  readonly keys: number;
}

function problemOf({ heads, group, queries, keys }: Shape, options: ProblemOptions, d = 6, dV = 5): Problem {
  const rows = (seed: number, heads: number, count: number, width: number) =>
    tensor(normals(seed, heads * count * width), [heads, count, width]);
  return makeProblem(rows(1, heads * group, queries, d), rows(2, heads, keys, d), rows(3, heads, keys, dV), {
    causal: true,
    ...options,
  });
}

/** A mask of another share of the keys in each head, which leaves the first. */
function maskOf({ heads, keys }: Shape): boolean[] {
  return Array.from({ length: heads * keys }, (_, at) => at % keys === 0 || (at * 7 + 3) % 5 > at / keys % 3);
}

/** Lists as long as they can be, over blocks of a length. */
function planOf(problem: Problem, length: number, clusters: number): CausalPlan {
  const cut = cutPositions(problem.period, length);
  return {
    directions: 5,
    clusters,
    sampled: Math.ceil(cut.length / 2),
    entries: 2 * problem.keys,
    heldOut: 4,
    preparation: 0,
    ofHeldOut: 4 * problem.keys,
    cut,
    looks: clusters % 2 > 0 ? 3 : 0,
  };
}

function clusteredProblem(n: number, options: { queries?: number; seed?: number } = {}): Problem {
  const { query, key, value, scale } = inputFamily("clustered").generate({ n, seed: 5, ...options });
  return makeProblem(query, key, value, { scale, causal: true });
}

function frobenius(output: Float32Array, exact: Float32Array): number {
  let error = 0, norm = 0;
  exact.forEach((x, at) => {
    error += (x - output[at]) ** 2;
    norm += x * x;
  });
  return Math.sqrt(error / norm);
}

onEachBackend(
  "in causal order lists of single keys are all keys before a block: the result is exact",
  async (backend) => {
    const shapes: [Shape, number, number][] = [
      [{ heads: 2, group: 1, queries: 96, keys: 96 }, 32, 1],
      [{ heads: 1, group: 1, queries: 100, keys: 137 }, 23, 3],
      [{ heads: 2, group: 3, queries: 41, keys: 60 }, 16, 2],
      [{ heads: 1, group: 2, queries: 50, keys: 50 }, 50, 4],
    ];
    for (const [shape, length, clusters] of shapes) {
      for (const masked of [false, true]) {
        const problem = problemOf(shape, masked ? { keyMask: maskOf(shape) } : {});
        const run = { first: 0, count: shape.heads };
        const { output, logSumExp, heldOut } = await tiltCausalHeads(
          backend,
          problem,
          planOf(problem, length, clusters),
          1,
          run,
        );
        backend.reset();
        const expected = await exactAttention(new ReferenceBackend(), problem);
        const what = `${Object.values(shape)}, ${length}, ${masked}`;
        assertLess(largestDifference(output, expected.output), 1e-5, what);
        assertLess(largestDifference(logSumExp, expected.logSumExp), 1e-5, what);
        assertLess(relativeError(totalOf(sumsOfHeads(problem, heldOut!, { output, logSumExp }))), 1e-5, what);
        if (shape.heads === 1) continue;
        // A head by itself is the same, and draws the same rows.
        const own = await tiltCausalHeads(backend, problem, planOf(problem, length, clusters), 1, {
          first: 1,
          count: 1,
        });
        backend.reset();
        assertLess(largestDifference(own.output, output.subarray(output.length / 2)), 1e-5, what);
        assertEquals(own.heldOut![0].picks, heldOut![1].picks);
      }
    }
  },
);

onEachBackend("in causal order tilted-tree errs as the reference does", async (backend) => {
  for (const [n, queries] of [[1000, 1000], [1100, 700]]) {
    const problem = clusteredProblem(n, { queries }), budget = { bucketSize: 80, samples: 150, seed: 4 };
    assert(tiltedTree.takesCausal!(problem, budget), "a budget for a tree");
    const actual = await tiltedTree.attend(backend, problem, budget);
    backend.reset();
    const expected = await tiltedTree.attend(new ReferenceBackend(), problem, budget);
    assertLess(Math.abs(actual.keyEvaluations / expected.keyEvaluations - 1), 0.01);
    const exact = await exactAttention(new ReferenceBackend(), problem);
    const [own, its] = [actual, expected].map(({ output }) => frobenius(output, exact.output));
    assertLess(its, 0.3);
    assertLess(Math.abs(own / its - 1), 0.15, `${own} beside ${its}`);
  }
});

for (
  const family of [
    "gaussian",
    "clustered",
    "huge-logits",
    "sink-key",
    "equal-queries",
    "duplicated-keys",
    "huge-value",
  ]
) {
  Deno.test(`in causal order tilted-tree on ${family} is finite, keeps to its budget, and its first block is exact`, async () => {
    const backend = await openWasm();
    try {
      for (const masked of [false, true]) {
        const { query, key, value, scale } = inputFamily(family).generate({ n: 1600, seed: 3 });
        const keyMask = Array.from({ length: 1600 }, (_, j) => j === 0 || j % 9 > 0 && (j < 300 || j > 360));
        const problem = makeProblem(query, key, value, { scale, causal: true, ...masked && { keyMask } });
        const budget = { bucketSize: 90, samples: 150, seed: 2 };
        assert(tiltedTree.takesCausal!(problem, budget), "a budget for a tree");
        const { output, logSumExp, keyEvaluations } = await tiltedTree.attend(backend, problem, budget);
        backend.reset();
        assert(output.every(Number.isFinite) && logSumExp.every(Number.isFinite));
        assertLessOrEqual(keyEvaluations, problem.queries * (budget.bucketSize + budget.samples + 1));
        const exact = await exactAttention(backend, problem);
        backend.reset();
        const { length } = planCausalTree(problem, budget.bucketSize + budget.samples)!.cut;
        const first = (data: Float32Array) => data.subarray(0, length * problem.valueFeatures);
        const largest = exact.output.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
        assertLessOrEqual(largestDifference(first(output), first(exact.output)), 1e-5 * largest);
      }
    } finally {
      backend.destroy();
    }
  });
}

Deno.test("in causal order the error falls with the budget, rows held out tell it, and the same seed gives the same bits", async () => {
  const backend = await openWasm();
  try {
    const problem = clusteredProblem(3000, { seed: 2 }), exact = await exactAttention(backend, problem);
    backend.reset();
    const errors: number[] = [];
    for (const samples of [128, 200, 320]) {
      const budget = { bucketSize: 100, samples, seed: 3 };
      const result = await runMethod(tiltedTree, backend, problem, budget);
      assertEquals(result.exact, false);
      errors.push(frobenius(result.output, exact.output));
      const ratio = relativeError(totalOf(result.errors!)) / errors.at(-1)!;
      assert(ratio > 1 / 3 && ratio < 3, `${ratio} at ${samples}`);
      const again = await runMethod(tiltedTree, backend, problem, budget);
      assertEquals(again.output, result.output);
      for (const pick of result.heldOut![0].picks) {
        const row = pick * problem.valueFeatures, end = row + problem.valueFeatures;
        assertLess(
          largestDifference(result.output.subarray(row, end), exact.output.subarray(row, end)),
          1e-5,
        );
      }
    }
    assert(errors[0] > errors[1] && errors[1] > errors[2], String(errors));
  } finally {
    backend.destroy();
  }
});

Deno.test("in causal order one tree takes fewer evaluations than rectangles, and rectangles stand in where it does not pay", async () => {
  const backend = await openWasm();
  try {
    const problem = clusteredProblem(2000), budget = { bucketSize: 100, samples: 140, seed: 1 };
    const whole = await runMethod(tiltedTree, backend, problem, budget);
    const cut = await approximateAttention(tiltedTree.attend, backend, problem, budget);
    assertLess(whole.keyEvaluations, 0.7 * cut.keyEvaluations);
    for (
      const [n, queries, perQuery] of [
        [2000, 40, 200], // few queries
        [300, 300, 100], // few keys
        [2000, 2000, 60], // a budget that is too small
        [2000, 2000, 600], // and one that pays for half of what can be seen
      ]
    ) {
      const small = clusteredProblem(n, { queries }), own = { bucketSize: perQuery, samples: 1, seed: 1 };
      assert(!tiltedTree.takesCausal!(small, own), `${n}, ${queries}, ${perQuery}`);
      const expected = await approximateAttention(tiltedTree.attend, backend, small, own);
      assertEquals((await runMethod(tiltedTree, backend, small, own)).output, expected.output);
    }
  } finally {
    backend.destroy();
  }
});

Deno.test("queries are ordered by blocks and back; a block ends before its diagonal, whose keys follow", () => {
  const shape = { heads: 2, group: 2, queries: 10, keys: 13 };
  const keyMask = Array.from({ length: 26 }, (_, at) => at !== 2 && at !== 13 + 9 && at !== 13 + 12);
  for (const problem of [problemOf(shape, {}), problemOf(shape, { keyMask })]) {
    const cut = cutPositions(10, 4);
    assertEquals(cut, { blocks: 3, length: 4 });
    const { rows, places } = orderByBlocks(problem, cut)!;
    assertEquals([...rows], [
      0,
      1,
      2,
      3,
      10,
      11,
      12,
      13,
      4,
      5,
      6,
      7,
      14,
      15,
      16,
      17,
      8,
      9,
      9,
      9,
      18,
      19,
      19,
      19,
    ]);
    assertEquals([...places].map((place) => rows[place]), Array.from({ length: 20 }, (_, row) => row));
    const seen = seenKeys(problem, { first: 0, count: 2 }), masked = problem.logWeights !== undefined;
    assertEquals([seen.keys, ...seen.counts], masked ? [12, 12, 11] : [13, 13, 13]);
    const ends = masked ? [2, 2, 6, 6, 10, 10, 3, 3, 7, 7, 10, 10] : [3, 3, 7, 7, 11, 11, 3, 3, 7, 7, 11, 11];
    assertEquals([...endsOfBlocks(problem, cut, seen)], ends);
    const { index, logWeights } = diagonalKeys(problem, cut, seen, 0);
    const rest = masked
      ? [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 11, 11]
      : [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 12, 12];
    assertEquals([...index!.subarray(0, 12)], rest);
    const hidden = logWeights &&
      Array.from(logWeights.keys()).filter((at) => logWeights[at] === Math.fround(EMPTY));
    assertEquals(hidden, masked ? [12 + 6, 12 + 9, 12 + 10, 12 + 11] : undefined);
  }
  const whole = problemOf({ heads: 1, group: 1, queries: 12, keys: 12 }, {});
  assertEquals(orderByBlocks(whole, cutPositions(12, 4)), undefined);
  assertEquals(diagonalKeys(whole, cutPositions(12, 4), seenKeys(whole, { first: 0, count: 1 }), 0), {});
});

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
    const shape = { heads: 2, group: 1, queries: 90, keys: 120 };
    for (const factor of [1, 2 ** 70, 2 ** -70]) {
      const keyMask = maskOf(shape), plain = problemOf(shape, { keyMask });
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
    const { heads: _, ...one } = clusteredProblem(1600), factors = [smooth, sharp, sharp, smooth];
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
    backend.reset();
    assertEquals(result.heldOut!.length, 4);
    for (let head = 0; head < 4; head++) {
      const own = (data: Float32Array) => data.subarray(head * size, (head + 1) * size);
      // Where queries look at all keys about alike, outputs are small and errors a large share of them.
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
