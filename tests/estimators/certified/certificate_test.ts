import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { kdeformerPractical } from "../../../estimators/methods/kdeformer_practical/kdeformer_practical.ts";
import { exactAttention } from "../../../estimators/core/exact.ts";
import { makeProblem, type Problem } from "../../../estimators/core/problem.ts";
import { certify } from "../../../estimators/certified/certify.ts";
import { headGeometry } from "../../../estimators/certified/head_geometry.ts";
import { operatorNorm } from "../../../estimators/linear_algebra/operator_norm.ts";
import type { Backend } from "../../../kernels/backend.ts";
import { RandomStream } from "../../../kernels/random.ts";
import { attention, openDevice } from "../../../mod.ts";
import { families, inputFamily } from "../../../proofs_checks/inputs/families.ts";
import { clopperPearson } from "../../../proofs_checks/statistics/binomial.ts";
import { runJob } from "../../../kernels/device.ts";

const n = 160, rows = 20, runs = 25, delta = 0.1;

/** ‖P‖·‖V‖ in float64. */
async function normProduct(backend: Backend, problem: Problem): Promise<number> {
  const { queries, keys, value, valueFeatures } = problem;
  const query = backend.upload(problem.query), key = backend.upload(problem.key);
  const [softmax] = await backend.run([backend.softmaxRows({ ...problem, query, key })]);
  backend.reset();
  return operatorNorm(softmax, queries, keys) * operatorNorm(value, keys, valueFeatures);
}

function errorOf(output: Float32Array, exact: Float32Array, { queries, valueFeatures }: Problem): number {
  return operatorNorm(Float64Array.from(output, (x, at) => x - exact[at]), queries, valueFeatures);
}

/** Exact attention with a few rows pushed to the far side: what a check of few rows is likeliest to miss. */
function spoilRows(exact: Float32Array, problem: Problem, count: number, seed: number): Float32Array {
  const { queries, valueFeatures, largestValue } = problem, output = exact.slice();
  for (const row of new RandomStream(seed, 999).distinct(count, queries)) {
    for (let c = 0; c < valueFeatures; c++) {
      const at = row * valueFeatures + c;
      output[at] = output[at] > 0 ? -largestValue : largestValue;
    }
  }
  return output;
}

/** How often a certificate held although the error left in the output exceeded its true target. */
async function falseClaims(
  backend: Backend,
  problem: Problem,
  approximate: (seed: number, exact: Float32Array) => Promise<Float32Array> | Float32Array,
): Promise<{ claims: number; wrong: number }> {
  const product = await normProduct(backend, problem);
  const { output: exact } = await exactAttention(backend, problem);
  let claims = 0, wrong = 0;
  for (let seed = 0; seed < runs; seed++) {
    const output = await approximate(seed, exact);
    const before = errorOf(output, exact, problem) / product;
    const geometry = await headGeometry(backend, problem, seed + 1000);
    // Asking for half of the error that there is makes nearly every claim a wrong one.
    const epsilon = Math.min(0.99, Math.max(1e-6, before / 2));
    const request = { epsilon, delta, rows, seed: seed + 1000, round: 0, certify: "bound" } as const;
    const { certificate } = await certify(backend, problem, output, geometry, request);
    if (!certificate.holds) continue;
    claims++;
    // Rounding of f32 attention is not part of the claim.
    if (errorOf(output, exact, problem) > epsilon * product * (1 + 1e-5)) wrong++;
  }
  return { claims, wrong };
}

for (const family of families.filter(({ name }) => !name.startsWith("shape-"))) {
  Deno.test(`certify() claims no error falsely more often than delta: ${family.name}`, async () => {
    using device = await openDevice({ prefer: "wasm" });
    await runJob(device, async (backend) => {
      const { query, key, value, scale } = family.generate({ n, seed: 4 });
      const problem = makeProblem(query, key, value, { scale });
      const budget = { bucketSize: 16, samples: 24 };
      const approximations = [
        async (seed: number) =>
          (await kdeformerPractical.attend(backend, problem, { ...budget, seed })).output,
        (seed: number, exact: Float32Array) => spoilRows(exact, problem, 1, seed),
        (seed: number, exact: Float32Array) => spoilRows(exact, problem, 6, seed),
      ];
      for (const [at, approximate] of approximations.entries()) {
        const { wrong } = await falseClaims(backend, problem, approximate);
        const { lower } = clopperPearson(wrong, runs, 0.99);
        assertLessOrEqual(lower, delta, `approximation ${at}: ${wrong} wrong claims in ${runs} runs`);
      }
    });
  });
}

Deno.test("certify() does claim small errors: it is not silent by construction", async () => {
  using device = await openDevice({ prefer: "wasm" });
  await runJob(device, async (backend) => {
    const { query, key, value, scale } = inputFamily("sink-key").generate({ n: 1024, seed: 4, features: 32 });
    const problem = makeProblem(query, key, value, { scale });
    const { output } = await exactAttention(backend, problem);
    const geometry = await headGeometry(backend, problem, 1);
    const request = { epsilon: 0.5, delta, rows: 128, seed: 1, round: 0, certify: "bound" } as const;
    const { certificate } = await certify(backend, problem, output, geometry, request);
    assert(certificate.holds);
    assertEquals([certificate.kind, certificate.rowsChecked], ["bound", 128]);
  });
});

Deno.test("attention() with epsilon falls back to exact attention on the hard instance, and says so", async () => {
  const { query, key, value, scale } = inputFamily("hard-instance").generate({ n: 1024, seed: 1 });
  const { certificate, stats } = await attention(query, key, value, { scale, epsilon: 0.1, device: "wasm" });
  assertEquals([certificate?.kind, certificate?.holds, stats.method], ["exact", true, "exact"]);
  assert(stats.fellBack?.startsWith("exact: "), String(stats.fellBack));
});
