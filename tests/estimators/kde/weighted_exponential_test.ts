import { assertAlmostEquals, assertEquals, assertLess, assertLessOrEqual, assertThrows } from "@std/assert";
import { rowMean } from "../../../estimators/kde/centred_points.ts";
import { exactDensity } from "../../../estimators/kde/exact.ts";
import { logSumExp } from "../../../estimators/kde/log_domain.ts";
import { uniformDensity } from "../../../estimators/kde/uniform.ts";
import { liftWeights, WeightedExponential } from "../../../estimators/kde/weighted_exponential.ts";
import { ReferenceBackend } from "../../../kernels/reference/backend.ts";
import { normals } from "../../data.ts";

const target = { epsilon: 0.5, delta: 0.1, densityFloor: 0.01, seed: 1 };

/** ln Σ_j w_j e^<x_j, y> by its definition. */
function definedLogSums(
  rows: ArrayLike<number>,
  logWeights: ArrayLike<number>,
  queries: ArrayLike<number>,
  features: number,
): Float64Array {
  return Float64Array.from(
    { length: queries.length / features },
    (_, query) =>
      logSumExp(Float64Array.from(logWeights, (logWeight, row) => {
        let product = 0;
        for (let t = 0; t < features; t++) {
          product += rows[row * features + t] * queries[query * features + t];
        }
        return logWeight + product;
      })),
  );
}

Deno.test("the lift turns a weighted exponential sum into a Gaussian density, to 1e-12", () => {
  for (const [count, features, spread] of [[1, 1, 1], [50, 3, 1], [200, 16, 2], [30, 2, 20]]) {
    const rows = normals(1, count * features, spread), queries = normals(2, 10 * features, spread);
    const logWeights = normals(3, count, 10 * spread).map((x, row) => row % 5 === 1 ? -Infinity : x);
    const { points, kept, logLargest } = liftWeights(rows, features, logWeights);
    assertEquals(kept, logWeights.filter((log) => log > -Infinity).length);
    const expected = definedLogSums(rows, logWeights, queries, features);
    expected.forEach((log, query) => {
      let norm = 0;
      for (let t = 0; t < features; t++) norm += queries[query * features + t] ** 2;
      const kernels = Float64Array.from({ length: kept }, (_, point) => {
        let squared = points[point * (features + 1) + features] ** 2;
        for (let t = 0; t < features; t++) {
          squared += (points[point * (features + 1) + t] - queries[query * features + t]) ** 2;
        }
        return -squared / 2;
      });
      // ln n + ln mu is the log-sum-exp of the kernels.
      const lifted = logLargest + norm / 2 + logSumExp(kernels);
      assertLessOrEqual(Math.abs(lifted - log), 1e-12 * Math.max(1, norm, Math.abs(logLargest)));
    });
  }
});

Deno.test("weighted sums are exact with exact densities, far from the origin too", async () => {
  const features = 6, count = 300;
  for (const [rowOffset, queryOffset] of [[0, 0], [40, 0], [0, 40], [30, -30]]) {
    const rows = normals(1, count * features).map((x, at) => x + (at % features === 0 ? rowOffset : 0));
    const queries = normals(2, 20 * features).map((x, at) => x + (at % features < 2 ? queryOffset : 0));
    const logWeights = Array.from(
      { length: count },
      (_, row) => row % 9 === 0 ? -Infinity : 30 * Math.sin(row),
    );
    const sums = await new WeightedExponential(
      new ReferenceBackend(),
      rows,
      features,
      logWeights,
      target,
      exactDensity,
      rowMean(queries, features),
    ).logSums(queries);
    definedLogSums(rows, logWeights, queries, features).forEach((expected, query) =>
      assertLess(Math.abs(sums.logDensity[query] - expected), 1e-4)
    );
  }
});

Deno.test("weighted sums keep the relative error of the densities", async () => {
  const features = 3,
    count = 20000,
    rows = normals(1, count * features, 0.5),
    queries = normals(2, 5 * features, 0.5);
  const logWeights = normals(3, count, 0.5);
  const sums = await new WeightedExponential(
    new ReferenceBackend(),
    rows,
    features,
    logWeights,
    { ...target, delta: 1e-3 },
    uniformDensity,
  ).logSums(queries);
  assertLess(sums.kernelEvaluations / 5, count);
  definedLogSums(rows, logWeights, queries, features).forEach((expected, query) =>
    assertLess(Math.abs(Math.expm1(sums.logDensity[query] - expected)), target.epsilon)
  );
});

Deno.test("sums go without the lift where its squares would lose a 32nd of the error asked for", async () => {
  const count = 4000, weights = new Float64Array(count);
  // Squared distances round by 2⁻²⁴ (256 + 256)² = 1/64 where rows and queries are 256 from the middle.
  for (const [far, sampled] of [[250, true], [262, false]] as const) {
    const rows = Float32Array.from({ length: count }, (_, row) => row % 2 ? far : -far);
    const sums = new WeightedExponential(new ReferenceBackend(), rows, 1, weights, target, uniformDensity);
    const queries = Float32Array.of(far, -far);
    const { kernelEvaluations, logDensity } = await sums.logSums(queries);
    assertEquals(kernelEvaluations < 2 * count, sampled, String(far));
    definedLogSums(rows, weights, queries, 1).forEach((expected, query) =>
      assertLess(Math.abs(logDensity[query] - expected), target.epsilon)
    );
  }
});

Deno.test("one row of weight, and weights that are wrong", () => {
  const { points, logLargest } = liftWeights([1, 2, 3, 4], 2, [-Infinity, 5]);
  assertEquals([...points], [3, 4, 0]);
  assertAlmostEquals(logLargest, 5 + 12.5, 1e-12);
  assertThrows(() => liftWeights([1, 2], 2, [-Infinity]), RangeError, "at least one weight must be positive");
  assertThrows(() => liftWeights([1, 2], 2, [NaN]), RangeError, "row 0 has NaN");
  assertThrows(() => liftWeights([1, 2], 2, [Infinity]), RangeError, "row 0 has Infinity");
});
