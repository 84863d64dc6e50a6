import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertLess,
  assertLessOrEqual,
  assertRejects,
} from "@std/assert";
import { bernsteinSamples, productError } from "../../../estimators/methods/kdeformer/bernstein.ts";
import { kdeformer, type KdeformerTarget } from "../../../estimators/methods/kdeformer/kdeformer.ts";
import { makeProblem, type Problem } from "../../../estimators/core/problem.ts";
import { densityFit } from "../../../estimators/kde/methods.ts";
import { operatorNorm } from "../../../estimators/linear_algebra/operator_norm.ts";
import { ReferenceBackend } from "../../../kernels/reference/backend.ts";
import { tensor } from "../../../kernels/tensor.ts";
import { clopperPearson } from "../../../proofs_checks/statistics/binomial.ts";
import { onEachBackend } from "../../backends.ts";
import { normals } from "../../data.ts";
import { largestDifference } from "../../precision.ts";

const exactTarget: KdeformerTarget = {
  epsilon: 0.5,
  delta: 0.1,
  densityFloor: 0.01,
  seed: 1,
  fit: densityFit("exact"),
};

function randomProblem(queries: number, keys: number, features: number, spread = 1, offset = 0): Problem {
  const moved = (rows: Float32Array) => rows.map((x, at) => x + (at % features === 0 ? offset : 0));
  return makeProblem(
    tensor(moved(normals(1, queries * features, spread)), [queries, features]),
    tensor(moved(normals(2, keys * features, spread)), [keys, features]),
    tensor(normals(3, keys * 4), [keys, 4]),
  );
}

/** ln of the row sums, P row by row and P V, in float64. */
function definition({ query, key, value, queries, keys, features, valueFeatures, scale }: Problem) {
  const logRowSums = new Float64Array(queries), softmax = new Float64Array(queries * keys);
  const output = new Float64Array(queries * valueFeatures);
  for (let i = 0; i < queries; i++) {
    const row = softmax.subarray(i * keys, (i + 1) * keys);
    for (let l = 0; l < keys; l++) {
      for (let t = 0; t < features; t++) row[l] += scale * query[i * features + t] * key[l * features + t];
    }
    const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
    logRowSums[i] = largest + Math.log(row.reduce((sum, x) => sum + Math.exp(x - largest), 0));
    for (let l = 0; l < keys; l++) {
      row[l] = Math.exp(row[l] - logRowSums[i]);
      for (let c = 0; c < valueFeatures; c++) {
        output[i * valueFeatures + c] += row[l] * value[l * valueFeatures + c];
      }
    }
  }
  const columnNorms = Float64Array.from({ length: keys }, (_, l) => {
    let sum = 0;
    for (let i = 0; i < queries; i++) sum += softmax[i * keys + l] ** 2;
    return sum;
  });
  return { logRowSums, softmax, columnNorms, output };
}

/** ‖output − P V‖ / (‖P‖‖V‖). */
function productRelativeError(
  problem: Problem,
  output: ArrayLike<number>,
  exact: ReturnType<typeof definition>,
): number {
  const { queries, keys, valueFeatures } = problem;
  const difference = exact.output.map((x, at) => output[at] - x);
  return operatorNorm(difference, queries, valueFeatures) /
    (operatorNorm(exact.softmax, queries, keys) * operatorNorm(problem.value, keys, valueFeatures));
}

Deno.test("productError() spends what the row sums leave of epsilon", () => {
  for (const epsilon of [0.01, 0.1, 0.5, 0.9]) {
    const spent = (productError(epsilon) + epsilon / 3) / (1 - epsilon / 3);
    assertAlmostEquals(spent, epsilon, 1e-12);
  }
});

Deno.test("bernsteinSamples() is the least m that the inequality allows", () => {
  for (const epsilon of [0.05, 0.3, 0.9]) {
    const terms = { epsilon, delta: 0.05, dimensions: 500, stableRank: 7, looseness: 2 };
    const failure = (m: number) =>
      terms.dimensions * Math.exp(-m * epsilon ** 2 / 2 / (2 * 14 + 15 * epsilon / 3));
    const m = bernsteinSamples(terms);
    assertLessOrEqual(failure(m), terms.delta);
    assertGreater(failure(m - 1), terms.delta);
  }
});

onEachBackend("kdeformer's row sums and column norms are those of the definition", async (backend) => {
  for (const [queries, keys, offset] of [[40, 70, 0], [60, 30, 20], [1, 1, 0]]) {
    const problem = randomProblem(queries, keys, 5, 1.5, offset), exact = definition(problem);
    const { heads: [head], logSumExp } = await kdeformer(backend, problem, exactTarget);
    assertLess(largestDifference(head.logRowSums, exact.logRowSums), 1e-4 * (1 + offset));
    assertLess(largestDifference(logSumExp, exact.logRowSums), 1e-4 * (1 + offset));
    head.logColumnNorms.forEach((log, l) =>
      assertLess(Math.abs(log - Math.log(exact.columnNorms[l])), 1e-3 * (1 + offset))
    );
  }
});

/** Squared column norms of D~⁻¹A, which differs from P by what the row sums are off. */
function columnNormsWith(
  problem: Problem,
  exact: ReturnType<typeof definition>,
  logRowSums: Float64Array,
): Float64Array {
  const { queries, keys } = problem, norms = new Float64Array(keys);
  for (let i = 0; i < queries; i++) {
    const factor = Math.exp(exact.logRowSums[i] - logRowSums[i]);
    for (let l = 0; l < keys; l++) norms[l] += (exact.softmax[i * keys + l] * factor) ** 2;
  }
  return norms;
}

for (const method of ["uniform", "multi-level", "nearest-neighbour"] as const) {
  Deno.test(`kdeformer with ${method} densities: row sums within epsilon/3, column norms within a third`, async () => {
    const target = { ...exactTarget, epsilon: 0.9, delta: 0.3, densityFloor: 0.1, fit: densityFit(method) };
    // Many keys, so that row sums are sampled, and then many queries, so that column norms are.
    for (const problem of [randomProblem(8, 60000, 3, 0.5), randomProblem(60000, 8, 3, 0.5)]) {
      const { queries, keys } = problem,
        exact = definition(problem),
        runs = method === "nearest-neighbour" ? 1 : 3;
      for (let seed = 0; seed < runs; seed++) {
        const { heads: [head], keyEvaluations } = await kdeformer(new ReferenceBackend(), problem, {
          ...target,
          seed,
          samples: 1,
        });
        // Two exact passes and the samples would take this many; the build of cells counts too.
        if (method === "uniform") assertLess(keyEvaluations, 2 * queries * keys);
        head.logRowSums.forEach((log, i) =>
          assertLess(Math.abs(Math.expm1(log - exact.logRowSums[i])), target.epsilon / 3)
        );
        const norms = columnNormsWith(problem, exact, head.logRowSums);
        head.logColumnNorms.forEach((log, l) => assertLess(Math.abs(Math.exp(log) / norms[l] - 1), 1 / 3));
      }
    }
  });
}

Deno.test("kdeformer keeps the spectral guarantee in at least 1 − delta of runs", async () => {
  const backend = new ReferenceBackend(), runs = 60;
  const inputs = { flat: randomProblem(64, 96, 4, 0.5), peaked: randomProblem(64, 96, 4, 3) };
  for (const [name, problem] of Object.entries(inputs)) {
    const exact = definition(problem);
    let failures = 0;
    for (let seed = 0; seed < runs; seed++) {
      const { output } = await kdeformer(backend, problem, { ...exactTarget, seed });
      if (productRelativeError(problem, output, exact) > exactTarget.epsilon) failures++;
    }
    const { upper } = clopperPearson(failures, runs, 0.99);
    assertLessOrEqual(upper, exactTarget.delta, `${name}: ${failures} of ${runs} runs failed`);
  }
});

Deno.test("kdeformer is unbiased given the row sums, and its error falls as 1/√m", async () => {
  const problem = randomProblem(20, 50, 4, 2), exact = definition(problem), backend = new ReferenceBackend();
  const runs = 200,
    errorAt = async (samples: number) => {
      const sum = new Float64Array(exact.output.length), squares = new Float64Array(exact.output.length);
      let total = 0;
      for (let seed = 0; seed < runs; seed++) {
        const { output } = await kdeformer(backend, problem, { ...exactTarget, samples, seed });
        output.forEach((x, at) => {
          sum[at] += x / runs;
          squares[at] += x * x / runs;
        });
        total += productRelativeError(problem, output, exact) / runs;
      }
      sum.forEach((mean, at) => {
        const standardError = Math.sqrt(Math.max(0, squares[at] - mean ** 2) / runs);
        assertLessOrEqual(Math.abs(mean - exact.output[at]), 5 * standardError + 1e-5, `output ${at}`);
      });
      return total;
    };
  const ratio = await errorAt(50) / await errorAt(800);
  assert(ratio > 3 && ratio < 5, `sixteen times the samples give an error ${ratio} times smaller`);
});

Deno.test("kdeformer says how many keys the guarantee takes, and that they are too many", async () => {
  const problem = randomProblem(64, 96, 4), backend = new ReferenceBackend();
  const { heads: [head], keyEvaluations } = await kdeformer(backend, problem, exactTarget);
  assert(head.exceedsKeys);
  assertEquals(head.samples, head.bernsteinSamples);
  assertLessOrEqual(head.distinct, 96);
  // Row sums, column norms, and the different keys among those drawn.
  assertEquals(keyEvaluations, 2 * 64 * 96 + 64 * head.distinct);
  const exact = definition(problem);
  const frobenius = exact.columnNorms.reduce((a, b) => a + b, 0);
  assertGreater(head.stableRanks.softmax, frobenius / operatorNorm(exact.softmax, 64, 96) ** 2);
  const one = await kdeformer(backend, problem, { ...exactTarget, samples: 5 });
  assertEquals(one.heads[0].samples, 5);
  // All keys alike: stable rank 1, and few samples for many keys.
  const flat = {
    ...randomProblem(8, 20000, 2),
    key: new Float32Array(40000),
    value: new Float32Array(80000).fill(1),
  };
  const easy = await kdeformer(backend, flat, { ...exactTarget, epsilon: 0.9, delta: 0.5 });
  assert(!easy.heads[0].exceedsKeys);
  assertLess(easy.heads[0].stableRanks.softmax, 5);
});

Deno.test("kdeformer treats heads apart, repeats itself by seed, and refuses hidden keys", async () => {
  const features = 4, rows = (seed: number, width = features) => normals(seed, 2 * 30 * width);
  const problem = makeProblem(
    tensor(rows(1), [2, 30, features]),
    tensor(rows(2), [2, 30, features]),
    tensor(rows(3, 2), [2, 30, 2]),
  );
  const backend = new ReferenceBackend(), target = { ...exactTarget, samples: 20 };
  const both = await kdeformer(backend, problem, target);
  assertEquals((await kdeformer(backend, problem, target)).output, both.output);
  assert(
    largestDifference((await kdeformer(backend, problem, { ...target, seed: 2 })).output, both.output) > 0,
  );
  const alone = await kdeformer(backend, { ...problem, heads: 1 }, target);
  assertEquals(both.output.subarray(0, 60), alone.output);
  await assertRejects(
    () => kdeformer(backend, { ...problem, causalOffset: 0 }, target),
    RangeError,
    "every key must be visible",
  );
});

Deno.test("kdeformer survives large logits, one key, and values of zero", async () => {
  const backend = new ReferenceBackend();
  for (const problem of [randomProblem(10, 20, 3, 60), randomProblem(5, 1, 3), randomProblem(3, 7, 1)]) {
    const { output } = await kdeformer(backend, problem, { ...exactTarget, samples: 40 });
    assert(output.every(Number.isFinite));
  }
  const zero = { ...randomProblem(5, 9, 3), value: new Float32Array(36) };
  assertEquals((await kdeformer(backend, zero, exactTarget)).output, new Float32Array(20));
});
