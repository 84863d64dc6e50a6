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
import { type CausalPlan, planCausalTree } from "../../../estimators/methods/tilted_tree/causal_plan.ts";
import { tiltedTree } from "../../../estimators/methods/tilted_tree/tilted_tree.ts";
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
