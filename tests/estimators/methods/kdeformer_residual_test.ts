import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertLess,
  assertLessOrEqual,
  assertRejects,
} from "@std/assert";
import { exactAttention } from "../../../estimators/core/exact.ts";
import { kdeformerPractical } from "../../../estimators/methods/kdeformer_practical/kdeformer_practical.ts";
import { kdeformerResidual } from "../../../estimators/methods/kdeformer_residual/kdeformer_residual.ts";
import { makeProblem, type Problem } from "../../../estimators/core/problem.ts";
import { sampleResidual } from "../../../estimators/methods/kdeformer_residual/residual_sample.ts";
import { sharedError } from "../../../estimators/methods/kdeformer_residual/shared_error.ts";
import { RandomStream } from "../../../kernels/random.ts";
import { ReferenceBackend } from "../../../kernels/reference/backend.ts";
import { tensor } from "../../../kernels/tensor.ts";
import { onEachBackend } from "../../backends.ts";
import { normals } from "../../data.ts";
import { largestDifference, sumOf } from "../../precision.ts";

const budget = { bucketSize: 16, samples: 48, seed: 3 };

function randomProblem(
  heads: number,
  queries: number,
  keys: number,
  features: number,
  width: number,
  spread = 1,
): Problem {
  return makeProblem(
    tensor(normals(1, heads * queries * features, spread), [heads, queries, features]),
    tensor(normals(2, heads * keys * features), [heads, keys, features]),
    tensor(normals(3, heads * keys * width), [heads, keys, width]),
  );
}

function rootMeanSquare(values: ArrayLike<number>): number {
  return Math.sqrt(sumOf(Array.from(values, (x) => x * x)) / values.length);
}

Deno.test("sampleResidual() is unbiased, takes sure keys once, and keeps to its budget", () => {
  const importance = Float64Array.from(
    { length: 50 },
    (_, key) => key === 7 ? 30 : key === 20 ? 5 : 0.1 + (key % 3),
  );
  const runs = 4000, samples = 12, sums = new Float64Array(50), squares = new Float64Array(50);
  for (let seed = 0; seed < runs; seed++) {
    const { index, weights } = sampleResidual(importance, samples, new RandomStream(seed, 300));
    assertLessOrEqual(index.length, samples);
    assertEquals(new Set(index).size, index.length);
    index.forEach((key, at) => {
      sums[key] += weights[at] / runs;
      squares[key] += weights[at] ** 2 / runs;
      if (key === 7) assertEquals(weights[at], 1);
    });
  }
  sums.forEach((mean, key) =>
    assertLessOrEqual(Math.abs(mean - 1), 5 * Math.sqrt(Math.max(0, squares[key] - mean ** 2) / runs) + 1e-12)
  );
});

Deno.test("sampleResidual() takes all keys when the budget is that large, and equal ones evenly", () => {
  const all = sampleResidual(new Float64Array(9).fill(0.5), 9, new RandomStream(1, 300));
  assertEquals([...all.index].sort((a, b) => a - b), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  assert(all.weights.every((weight) => weight === 1));
  const some = sampleResidual(new Float64Array(90).fill(0.5), 9, new RandomStream(1, 300));
  some.index.forEach((key, at) => {
    assertEquals(Math.floor(key / 10), at);
    assertAlmostEquals(some.weights[at], 10, 1e-9);
  });
});

Deno.test("sharedError() finds what rows share and ignores what they do not", () => {
  const shared = (errors: number[][]) =>
    sharedError(errors.map(([sampledMass, ...error]) => ({ sampledMass, error: Float64Array.from(error) })));
  // error = mass · (2, −1, 0.1)
  const found = shared([[0.5, 1, -0.5, 0.05], [1, 2, -1, 0.1], [0.2, 0.4, -0.2, 0.02]]);
  assertAlmostEquals(found.value[0], 2, 1e-12);
  assertAlmostEquals(found.value[1], -1, 1e-12);
  assertAlmostEquals(found.mass, 0.1, 1e-12);
  // Each row's error speaks against the others'.
  assertEquals([...shared([[1, 1, 0], [1, -1, 0]]).value], [0]);
  // One row alone foretells nothing.
  assertEquals([...shared([[1, 5, 5]]).value], [0]);
  assertEquals(shared([]).mass, 0);
});

onEachBackend(
  "kdeformerResidual() with one block is exact, and near exact with all keys sampled",
  async (backend) => {
    const problem = randomProblem(2, 41, 67, 15, 9, 2), exact = await exactAttention(backend, problem);
    const oneBlock = await kdeformerResidual.attend(backend, problem, { ...budget, bucketSize: 67 });
    assertLess(largestDifference(oneBlock.output, exact.output), 1e-5);
    assertLess(largestDifference(oneBlock.logSumExp, exact.logSumExp), 1e-5);
    const all = await kdeformerResidual.attend(backend, problem, { ...budget, samples: 10000 });
    assertLess(largestDifference(all.output, exact.output), 1e-4);
  },
);

onEachBackend("kdeformerResidual() gives the reference's result", async (backend) => {
  const problem = randomProblem(2, 150, 260, 16, 8);
  const actual = await kdeformerResidual.attend(backend, problem, budget);
  const expected = await kdeformerResidual.attend(new ReferenceBackend(), problem, budget);
  assertLess(largestDifference(actual.output, expected.output), 1e-4);
  assertEquals(actual.keyEvaluations, expected.keyEvaluations);
});

onEachBackend("kdeformerResidual() takes every small and odd shape, and huge logits", async (backend) => {
  for (
    const [queries, keys, features, width, spread] of [
      [1, 1, 1, 1, 1],
      [1, 50, 3, 2, 1],
      [50, 1, 3, 2, 1],
      [7, 130, 15, 33, 1],
      [129, 40, 100, 1, 1],
      [64, 200, 16, 8, 2500],
    ]
  ) {
    const problem = randomProblem(1, queries, keys, features, width, spread);
    const { output, logSumExp } = await kdeformerResidual.attend(backend, problem, {
      bucketSize: 4,
      samples: 3,
      seed: 1,
    });
    assertEquals(output.length, queries * width);
    assert(output.every(Number.isFinite) && logSumExp.every(Number.isFinite), `${queries}, ${keys}`);
  }
});

Deno.test("kdeformerResidual() returns constant values exactly, and follows seed and budget", async () => {
  const backend = new ReferenceBackend(), problem = randomProblem(1, 300, 500, 16, 3);
  const constant = {
    ...problem,
    value: Float32Array.from({ length: 1500 }, (_, at) => [1 / 3, -7, 0][at % 3]),
  };
  const { output } = await kdeformerResidual.attend(backend, constant, budget);
  assertLess(
    largestDifference(output, Float32Array.from({ length: 900 }, (_, at) => [1 / 3, -7, 0][at % 3])),
    1e-6,
  );
  const first = await kdeformerResidual.attend(backend, problem, budget);
  assertEquals(await kdeformerResidual.attend(backend, problem, budget), first);
  assert(
    largestDifference(
      (await kdeformerResidual.attend(backend, problem, { ...budget, seed: 4 })).output,
      first.output,
    ) > 0,
  );
  // Within rounding of what was asked for: blocks, probes and samples together.
  assertLessOrEqual(first.keyEvaluations, 300 * (16 + 48 + 2));
  await assertRejects(
    () => kdeformerResidual.attend(backend, { ...problem, logWeights: new Float32Array(500) }, budget),
    RangeError,
    "every key must be visible",
  );
});

Deno.test("kdeformerResidual() beats kdeformerPractical() where rows share their error", async () => {
  const backend = new ReferenceBackend(), problem = randomProblem(1, 400, 1024, 16, 8);
  const exact = await exactAttention(backend, problem);
  const errors = { residual: 0, practical: 0 };
  for (let seed = 0; seed < 6; seed++) {
    const of = ({ output }: { output: Float32Array }) =>
      rootMeanSquare(output.map((x, at) => x - exact.output[at])) ** 2;
    errors.residual += of(await kdeformerResidual.attend(backend, problem, { ...budget, seed }));
    errors.practical += of(await kdeformerPractical.attend(backend, problem, { ...budget, seed }));
  }
  assertLess(errors.residual, errors.practical);
});
