import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { exactAttention } from "../../../estimators/core/exact.ts";
import { makeProblem, type Problem } from "../../../estimators/core/problem.ts";
import { calibrated } from "../../../estimators/methods/calibrated/calibrated.ts";
import { relativeError, sumsOfHeads, totalOf } from "../../../estimators/methods/held_out.ts";
import { tiltHeads } from "../../../estimators/methods/tilted_tree/tilted_heads.ts";
import { tiltedTree } from "../../../estimators/methods/tilted_tree/tilted_tree.ts";
import { planTree } from "../../../estimators/methods/tilted_tree/tree_plan.ts";
import { ReferenceBackend } from "../../../kernels/reference/backend.ts";
import { tensor } from "../../../kernels/tensor.ts";
import { openWasm } from "../../../kernels/wasm/backend.ts";
import { families, inputFamily } from "../../../proofs_checks/inputs/families.ts";
import { relativeOutputError } from "../../../proofs_checks/measures/spectral.ts";
import { onEachBackend } from "../../backends.ts";
import { normals } from "../../data.ts";
import { largestDifference } from "../../precision.ts";

const budget = { bucketSize: 48, samples: 96, seed: 0 }, perQuery = 144;

function problemOf(family: string, options: { n: number; queries?: number; seed?: number }): Problem {
  const { query, key, value, scale } = inputFamily(family).generate({ seed: 5, ...options });
  return makeProblem(query, key, value, { scale });
}

const errorOf = ({ outputShape: shape }: Problem, output: Float32Array, exact: Float32Array) =>
  relativeOutputError({ data: output, shape }, { data: exact, shape })[0];

for (const family of families) {
  Deno.test(`tilted-tree on ${family.name} is finite and keeps to its budget`, async () => {
    const backend = await openWasm();
    try {
      for (const [n, queries] of [[1, 1], [300, 300], [900, 900], [900, 400], [600, 1500]]) {
        const problem = problemOf(family.name, { n, queries });
        const { output, logSumExp, keyEvaluations, exact } = await tiltedTree.attend(
          backend,
          problem,
          budget,
        );
        backend.reset();
        assert(output.every(Number.isFinite) && logSumExp.every(Number.isFinite));
        if (!exact) assertLessOrEqual(keyEvaluations, problem.queries * (perQuery + 1));
      }
    } finally {
      backend.destroy();
    }
  });
}

Deno.test("tilted-tree attends exactly where there are few queries", async () => {
  const backend = await openWasm();
  try {
    for (const queries of [1, 4, 40]) {
      const problem = problemOf("gaussian", { n: 3000, queries });
      const { exact, keyEvaluations } = await tiltedTree.attend(backend, problem, budget);
      backend.reset();
      assertEquals([exact, keyEvaluations], [true, 3000 * queries]);
    }
  } finally {
    backend.destroy();
  }
});

onEachBackend("tilted-tree errs as the reference does", async (backend) => {
  for (
    const [family, n, queries] of [
      ["clustered", 800, 800],
      ["gaussian", 500, 900],
      ["clustered", 900, 500],
    ] as const
  ) {
    const problem = problemOf(family, { n, queries });
    assert(planTree(problem, perQuery), "a budget for a tree");
    const actual = await tiltedTree.attend(backend, problem, budget);
    backend.reset();
    const expected = await tiltedTree.attend(new ReferenceBackend(), problem, budget);
    assertLess(Math.abs(actual.keyEvaluations / expected.keyEvaluations - 1), 0.01);
    // A row that lies half-way between two centres goes either way by the last bit, and the tree below it is another one.
    const exact = await exactAttention(new ReferenceBackend(), problem);
    const [own, its] = [actual, expected].map(({ output }) => errorOf(problem, output, exact.output));
    assertLess(Math.abs(own / its - 1), 0.15, `${family}: ${own} beside ${its}`);
  }
});

onEachBackend("lists of single keys are all keys: the result is exact", async (backend) => {
  const heads = 2, queries = 150, keys = 120, d = 6, dV = 5;
  const rows = (seed: number, count: number, width: number) =>
    tensor(normals(seed, heads * count * width), [heads, count, width]);
  const problem = makeProblem(rows(1, queries, d), rows(2, keys, d), rows(3, keys, dV));
  const plan = { directions: 5, clusters: 7, sampled: 90, entries: 2 * keys, heldOut: 4, preparation: 0 };
  const actual = await tiltHeads(backend, problem, plan, 1, { first: 0, count: heads });
  backend.reset();
  const expected = await exactAttention(new ReferenceBackend(), problem);
  assertLess(largestDifference(actual.output, expected.output), 1e-5);
  assertLess(largestDifference(actual.logSumExp, expected.logSumExp), 1e-5);
  assertEquals(actual.keyEvaluations, heads * queries * keys);
});

Deno.test("tilted-tree errs less than half as much as calibrated where clusters of queries look to clusters of keys, seed by seed", async () => {
  const backend = await openWasm();
  try {
    for (let seed = 0; seed < 6; seed++) {
      const problem = problemOf("clustered", { n: 2000, seed });
      const exact = await exactAttention(backend, problem);
      backend.reset();
      const errors: number[] = [];
      for (const { attend } of [tiltedTree, calibrated]) {
        const { output } = await attend(backend, problem, { bucketSize: 64, samples: 128, seed });
        errors.push(errorOf(problem, output, exact.output));
      }
      assertLess(errors[0], 0.5 * errors[1], `seed ${seed}`);
    }
  } finally {
    backend.destroy();
  }
});

Deno.test("the error of tilted-tree falls with its budget, and rows held out tell it to within a factor of three in the median", async () => {
  const backend = await openWasm();
  try {
    const problem = problemOf("clustered", { n: 3000, seed: 2 }),
      exact = await exactAttention(backend, problem);
    backend.reset();
    const errors: number[] = [];
    for (const samples of [64, 128, 320]) {
      const ratios: number[] = [], ofSeeds: number[] = [];
      for (let seed = 0; seed < 7; seed++) {
        const result = await tiltedTree.attend(backend, problem, { bucketSize: 64, samples, seed });
        ofSeeds.push(errorOf(problem, result.output, exact.output));
        const told = relativeError(totalOf(sumsOfHeads(problem, result.heldOut!, result)));
        let error = 0, norm = 0;
        exact.output.forEach((x, at) => {
          error += (x - result.output[at]) ** 2;
          norm += x * x;
        });
        ratios.push(told / Math.sqrt(error / norm));
      }
      const [ratio, error] = [ratios, ofSeeds].map((values) => values.sort((a, b) => a - b)[3]);
      assert(ratio > 1 / 3 && ratio < 3, `${ratios} at ${samples}`);
      errors.push(error);
    }
    assert(errors[0] > errors[1] && errors[1] > errors[2], String(errors));
  } finally {
    backend.destroy();
  }
});

Deno.test("values that are all the same are returned as they are", async () => {
  const backend = await openWasm();
  try {
    const { query, key, value, scale } = inputFamily("clustered").generate({ n: 1000, seed: 1 });
    const same = { ...value, data: value.data.map(() => 3.25) };
    const { output } = await tiltedTree.attend(backend, makeProblem(query, key, same, { scale }), budget);
    assertLess(largestDifference(output, output.map(() => 3.25)), 1e-5);
  } finally {
    backend.destroy();
  }
});

onEachBackend(
  "queries that are all equal are answered exactly, and so are those of clusters of equal queries",
  async (backend) => {
    for (const different of [1, 3]) {
      const { query, key, value, scale } = inputFamily("gaussian").generate({
        n: 400,
        seed: 2,
        features: 24,
      });
      const width = 24;
      const equal = { ...query, data: query.data.map((_, at) => query.data[at % (different * width)]) };
      const problem = makeProblem(equal, key, value, { scale });
      assert(planTree(problem, perQuery), "a budget for a tree");
      const { output, logSumExp, exact } = await tiltedTree.attend(backend, problem, budget);
      backend.reset();
      assert(!exact);
      const expected = await exactAttention(new ReferenceBackend(), problem);
      assertLess(largestDifference(output, expected.output), 1e-5, `${different} queries`);
      assertLess(largestDifference(logSumExp, expected.logSumExp), 1e-5, `${different} queries`);
    }
  },
);
