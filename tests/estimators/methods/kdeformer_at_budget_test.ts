import { assert, assertEquals, assertGreater, assertLessOrEqual, assertStringIncludes } from "@std/assert";
import { densityFit } from "../../../estimators/kde/methods.ts";
import { kdeformer } from "../../../estimators/methods/kdeformer/kdeformer.ts";
import { makeProblem } from "../../../estimators/core/problem.ts";
import { ReferenceBackend } from "../../../kernels/reference/backend.ts";
import { attention, openDevice, tensor } from "../../../mod.ts";
import { normals } from "../../data.ts";
import { onEachDevice } from "../../devices.ts";
import { largestDifference, largestMagnitude } from "../../precision.ts";

function random(queries: number, keys: number, features: number, spread: number) {
  return [
    tensor(normals(1, queries * features, spread), [queries, features]),
    tensor(normals(2, keys * features, spread), [keys, features]),
    tensor(normals(3, keys * 3), [keys, 3]),
  ] as const;
}

onEachDevice("kdeformer is exact, and says so, where it would cost no less", async (device) => {
  // Few keys, a single query, a budget of every key, and logits of millions.
  for (
    const [queries, keys, spread, budget] of [[40, 90, 1, 16], [1, 3000, 1, 16], [300, 300, 1, 2 ** 30], [
      60,
      110,
      2500,
      8,
    ]]
  ) {
    const problem = random(queries, keys, 6, spread), given = { samples: budget, bucketSize: 8, device };
    const { output, stats } = await attention(...problem, { method: "kdeformer", ...given });
    const exact = await attention(...problem, { method: "exact", device });
    assertEquals(output, exact.output);
    assertEquals([stats.method, stats.samples, stats.keyEvaluations], ["exact", 0, queries * keys]);
    assertStringIncludes(stats.fellBack!, "exact: the densities and samples of kdeformer would cost no less");
  }
});

Deno.test("kdeformer samples where densities are high and keys many, and turns exact where they are not", async () => {
  using device = await openDevice({ prefer: "wasm" });
  const flat = random(9000, 12_000, 2, 0.2), sharp = random(9000, 12_000, 2, 40);
  const sampled = await attention(...flat, { method: "kdeformer", device });
  assertEquals([sampled.stats.method, sampled.stats.fellBack], ["kdeformer", null]);
  assert(sampled.stats.keyEvaluations < 9000 * 12_000);
  assertLessOrEqual(largestMagnitude(sampled.output.data), largestMagnitude(flat[2].data));
  const turned = await attention(...sharp, { method: "kdeformer", device });
  const exact = await attention(...sharp, { method: "exact", device });
  assertEquals(turned.stats.method, "exact");
  assertStringIncludes(turned.stats.fellBack!, "exact: the densities that kdeformer needs cost as much");
  assertGreater(turned.stats.keyEvaluations, 9000 * 12_000);
  assertLessOrEqual(largestDifference(turned.output.data, exact.output.data), 1e-3);
});

Deno.test("row sums that the sampled keys disprove do not scale the output", async () => {
  const backend = new ReferenceBackend(), [q, k, v] = random(50, 70, 4, 1.5);
  const problem = makeProblem(q, k, v), fit = densityFit("exact");
  const target = { epsilon: 0.5, delta: 0.1, densityFloor: 0.01, seed: 4, samples: 60 };
  const right = await kdeformer(backend, problem, { ...target, fit });
  // Densities that are lost to rounding, for every third row: too small by a factor that f32 does not have.
  const wrong = await kdeformer(backend, problem, {
    ...target,
    fit: (...args) => {
      const fitted = fit(...args);
      return {
        ...fitted,
        async logDensity(queries, signal) {
          const found = await fitted.logDensity(queries, signal);
          // The points of column norms are the 50 queries; those of row sums the 70 keys.
          if (fitted.count !== 70) return found;
          return { ...found, logDensity: found.logDensity.map((log, row) => row % 3 ? log : log - 300) };
        },
      };
    },
  });
  assert(wrong.output.every(Number.isFinite));
  assertLessOrEqual(largestMagnitude(wrong.output), 1.001 * largestMagnitude(v.data));
  wrong.logSumExp.forEach((sum, row) => {
    // Samples of sums, where D~ was wrong; else D~ itself.
    assertLessOrEqual(Math.abs(sum - right.logSumExp[row]), row % 3 ? 1e-4 : 2, `row ${row}`);
  });
});
