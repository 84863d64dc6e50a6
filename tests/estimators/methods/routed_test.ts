import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { exactAttention } from "../../../estimators/core/exact.ts";
import { kdeformerPractical } from "../../../estimators/methods/kdeformer_practical/kdeformer_practical.ts";
import { makeProblem, type Problem } from "../../../estimators/core/problem.ts";
import { routed } from "../../../estimators/methods/routed/routed.ts";
import { ReferenceBackend } from "../../../kernels/reference/backend.ts";
import { openWasm } from "../../../kernels/wasm/backend.ts";
import { families, inputFamily } from "../../../proofs_checks/inputs/families.ts";
import { relativeOutputError } from "../../../proofs_checks/measures/spectral.ts";
import { onEachBackend } from "../../backends.ts";
import { normals } from "../../data.ts";
import { largestDifference, largestMagnitude } from "../../precision.ts";

const budget = { bucketSize: 32, samples: 64, seed: 0 }, perQuery = 96;

function problemOf(family: string, options: { n: number; queries?: number; seed?: number }): Problem {
  const { query, key, value, scale } = inputFamily(family).generate({ seed: 5, ...options });
  return makeProblem(query, key, value, { scale });
}

const errorOf = ({ outputShape: shape }: Problem, output: Float32Array, exact: Float32Array) =>
  relativeOutputError({ data: output, shape }, { data: exact, shape })[0];

for (const family of families) {
  Deno.test(`routed() on ${family.name} is finite and keeps to its budget`, async () => {
    const backend = await openWasm();
    try {
      for (const [n, queries] of [[1, 1], [100, 100], [700, 700], [700, 150], [300, 900], [900, 1]]) {
        const problem = problemOf(family.name, { n, queries });
        const { output, logSumExp, keyEvaluations } = await routed.attend(backend, problem, budget);
        backend.reset();
        assert(output.every(Number.isFinite) && logSumExp.every(Number.isFinite));
        assertLessOrEqual(keyEvaluations, problem.queries * (perQuery + 1));
      }
    } finally {
      backend.destroy();
    }
  });
}

onEachBackend("routed() gives the reference's result", async (backend) => {
  for (
    const [family, n, queries] of [["clustered", 800, 800], ["gaussian", 500, 900], [
      "clustered",
      900,
      300,
    ]] as const
  ) {
    const problem = problemOf(family, { n, queries });
    const actual = await routed.attend(backend, problem, budget);
    backend.reset();
    const expected = await routed.attend(new ReferenceBackend(), problem, budget);
    assertEquals(actual.keyEvaluations, expected.keyEvaluations);
    assertLess(largestDifference(actual.output, expected.output), 1e-4 * largestMagnitude(problem.value));
    assertLess(largestDifference(actual.logSumExp, expected.logSumExp), 1e-3);
  }
});

Deno.test("routed() errs less than 0.7 times as much as the practical KDEformer where queries look to clusters of keys, draw by draw", async () => {
  const backend = await openWasm();
  try {
    for (let seed = 0; seed < 10; seed++) {
      const problem = problemOf("clustered", { n: 2000, seed });
      const exact = await exactAttention(backend, problem);
      backend.reset();
      const own = await routed.attend(backend, problem, budget);
      const practical = await kdeformerPractical.attend(backend, problem, { ...budget, seed });
      const errors = [own, practical].map(({ output }) => errorOf(problem, output, exact.output));
      assertLess(errors[0], 0.7 * errors[1], `seed ${seed}`);
    }
  } finally {
    backend.destroy();
  }
});

onEachBackend(
  "routed() does not depend on offsets, nor on what queries and keys share of the scale",
  async (backend) => {
    const problem = problemOf("clustered", { n: 700 }), { features } = problem;
    const expected = await routed.attend(backend, problem, budget);
    backend.reset();
    const offset = normals(3, features),
      shifted = (rows: Float32Array, factor: number, by: number) =>
        rows.map((x, at) => factor * x + by * offset[at % features]);
    for (const factor of [2 ** -30, 1 / 8, 4, 2 ** 30]) {
      const key = shifted(problem.key, factor, factor), query = problem.query.map((x) => x / factor);
      const moved = { ...problem, query, key, largestKey: largestMagnitude(key) };
      const { output } = await routed.attend(backend, moved, budget);
      backend.reset();
      assertLess(
        largestDifference(output, expected.output),
        1e-3 * largestMagnitude(problem.value),
        `${factor}`,
      );
    }
  },
);

onEachBackend("routed() is exact where it can be: few keys, equal keys, constant values", async (backend) => {
  const few = problemOf("gaussian", { n: 90 });
  assertEquals(
    (await routed.attend(backend, few, budget)).output,
    (await exactAttention(backend, few)).output,
  );
  backend.reset();
  const base = problemOf("gaussian", { n: 400 });
  const constant = { ...base, value: base.value.map((_, at) => at % base.valueFeatures) };
  const { output } = await routed.attend(backend, constant, budget);
  backend.reset();
  assert(output.every((x, at) => Math.abs(x - at % base.valueFeatures) <= 1e-5 * base.valueFeatures));
  const equal = { ...base, key: base.key.map((_, at) => base.key[at % base.features]) };
  const { output: uniform } = await routed.attend(backend, equal, budget);
  backend.reset();
  // The mean of the keys that are shown, the same for each query.
  assert(uniform.every((x, at) => Math.abs(x - uniform[at % base.valueFeatures]) <= 1e-5));
  for (const problem of [base, problemOf("gaussian", { n: 1000, queries: 1 })]) {
    const { output } = await routed.attend(backend, problem, { bucketSize: 1, samples: 1, seed: 0 });
    backend.reset();
    assert(output.every(Number.isFinite));
  }
});
