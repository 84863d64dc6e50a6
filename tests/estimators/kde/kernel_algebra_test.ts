import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertLess,
  assertLessOrEqual,
  assertRejects,
} from "@std/assert";
import { estimateDensity } from "../../../estimators/kde/estimate_density.ts";
import { kernelSum } from "../../../estimators/kde/kernel_sum.ts";
import { topEigenpair } from "../../../estimators/kde/top_eigenpair.ts";
import { weightedExponentialKde } from "../../../estimators/kde/weighted_exponential_kde.ts";
import { largestEigenvalue } from "../../../estimators/linear_algebra/largest_eigenvalue.ts";
import { openDevice } from "../../../kernels/device.ts";
import { type Tensor, tensor } from "../../../kernels/tensor.ts";
import { clopperPearson } from "../../../proofs_checks/statistics/binomial.ts";
import { normals } from "../../data.ts";
import { onEachDevice } from "../../devices.ts";
import { definedLogDensity } from "./densities.ts";

const points = (count: number, features: number, spread = 1, seed = 1): Tensor =>
  tensor(normals(seed, count * features, spread), [count, features]);

/** The Gaussian kernel matrix in float64. */
function kernelMatrix({ data, shape: [count, features] }: Tensor): Float64Array {
  return Float64Array.from({ length: count * count }, (_, at) => {
    const i = Math.floor(at / count), j = at % count;
    let squared = 0;
    for (let t = 0; t < features; t++) squared += (data[i * features + t] - data[j * features + t]) ** 2;
    return Math.exp(-squared / 2);
  });
}

const sumOf = (values: Float64Array) => values.reduce((a, b) => a + b, 0);

onEachDevice("estimateDensity() is right by every method, with any bandwidth", async (device) => {
  const rows = points(600, 3), queries = points(5, 3, 1, 2);
  for (const bandwidth of [1, 2]) {
    const scaled = (x: Tensor) => x.data.map((value) => value / bandwidth);
    const expected = definedLogDensity({ points: scaled(rows), queries: scaled(queries), features: 3 });
    for (const method of ["exact", "uniform", "hashing-based", "multi-level", "nearest-neighbour"] as const) {
      const options = { method, bandwidth, device, epsilon: 0.2, delta: 0.01 };
      const { logDensity } = await estimateDensity(rows, queries, options);
      // The default floor lies below these densities.
      expected.forEach((log, query) =>
        assertLess(Math.abs(Math.expm1(logDensity[query] - log)), 0.2, method)
      );
    }
  }
});

onEachDevice("kernelSum() of a small set is exact, however small the entries", async (device) => {
  for (const [count, features, spread] of [[1, 2, 1], [2, 1, 1], [150, 4, 1], [150, 4, 5]]) {
    const rows = points(count, features, spread), expected = sumOf(kernelMatrix(rows));
    const { sum, samples, kernelEvaluations } = await kernelSum(rows, { device });
    assertLess(Math.abs(sum / expected - 1), 1e-5);
    assertEquals([samples, kernelEvaluations], [count, count ** 2]);
  }
});

Deno.test("kernelSum() is unbiased and as precise as the theory says, from √n points", async () => {
  using device = await openDevice({ prefer: "reference" });
  const rows = points(2000, 2, 2), expected = sumOf(kernelMatrix(rows)), runs = 200, samples = 180;
  let mean = 0, square = 0;
  for (let seed = 0; seed < runs; seed++) {
    const { sum } = await kernelSum(rows, { device, seed, samples });
    mean += sum / expected / runs;
    square += (sum / expected) ** 2 / runs;
  }
  const variance = square - mean ** 2;
  assertLessOrEqual(Math.abs(mean - 1), 5 * Math.sqrt(variance / runs));
  assertLessOrEqual(variance, 4 * Math.sqrt(2000) / samples + 2 * 2000 / samples ** 2);
});

Deno.test("kernelSum() keeps epsilon as often as delta asks", async () => {
  using device = await openDevice({ prefer: "reference" });
  const rows = points(10000, 1, 3), runs = 30, epsilon = 0.9, delta = 0.2;
  // Σ exp(−(x − y)²/2) of the sample itself, exact on the device.
  const { sum: expected, samples: all } = await kernelSum(points(3000, 1, 3), { device });
  assertEquals(all, 3000);
  let failures = 0, evaluations = 0;
  for (let seed = 0; seed < runs; seed++) {
    const found = await kernelSum(rows, { device, seed, epsilon, delta });
    // Mean entries of two samples of one distribution agree to a few per cent, far below epsilon.
    const ratio = (found.sum / 10000 ** 2) / (expected / 3000 ** 2);
    if (Math.abs(ratio - 1) > epsilon) failures++;
    evaluations = found.kernelEvaluations;
  }
  assertLess(evaluations, 10000 ** 2 / 10);
  assertLessOrEqual(clopperPearson(failures, runs, 0.99).upper, delta);
});

onEachDevice("topEigenpair() finds the largest eigenvalue and its vector", async (device) => {
  for (const [count, features, spread] of [[1, 1, 1], [60, 2, 1], [60, 3, 3]]) {
    const rows = points(count, features, spread), matrix = kernelMatrix(rows);
    const { value, vector, rounds } = await topEigenpair(rows, { method: "exact", device, epsilon: 0.05 });
    const expected = largestEigenvalue(matrix.slice(), count);
    assertLess(Math.abs(value / expected - 1), 0.05, `${count} points, ${rounds} rounds`);
    assertAlmostEquals(sumOf(vector.map((x) => x * x)), 1, 1e-6);
    assert(vector.every((x) => x >= 0));
    // The vector attains what it is said to.
    let quotient = 0;
    matrix.forEach((k, at) => quotient += vector[Math.floor(at / count)] * k * vector[at % count]);
    assertLess(Math.abs(quotient / expected - 1), 0.05);
  }
});

Deno.test("topEigenpair() with sampled products keeps epsilon", async () => {
  using device = await openDevice({ prefer: "reference" });
  // Eigenvalues over n of two samples of one distribution agree to a few per cent.
  const rows = points(20000, 2, 0.6), fewer = kernelMatrix(points(400, 2, 0.6));
  const expected = largestEigenvalue(fewer, 400) / 400;
  const { value, rounds, kernelEvaluations } = await topEigenpair(rows, {
    method: "uniform",
    device,
    epsilon: 0.6,
    densityFloor: 0.05,
  });
  assertLess(kernelEvaluations, rounds * 20000 ** 2 / 2);
  assertLess(Math.abs(value / 20000 / expected - 1), 0.6);
});

Deno.test("weightedExponentialKde() takes plain weights", async () => {
  const rows = tensor([1, 0, 0, 1, 5, 5], [3, 2]), query = tensor([1, 0, 0, 0], [2, 2]);
  const { logSum, kernelEvaluations } = await weightedExponentialKde(rows, [2, 3, 0], query, {
    method: "exact",
    device: "reference",
  });
  assertAlmostEquals(Math.exp(logSum[0]), 2 * Math.E + 3, 1e-5);
  assertAlmostEquals(Math.exp(logSum[1]), 5, 1e-5);
  // The row of weight 0 costs nothing.
  assertEquals(kernelEvaluations, 4);
});

Deno.test("functions on densities name what is wrong", async () => {
  const rows = points(4, 2), device = "reference" as const;
  await assertRejects(
    () => estimateDensity(rows, points(4, 3), { device }),
    TypeError,
    "queries have 3 features",
  );
  await assertRejects(
    () => estimateDensity(points(4, 2), tensor([1, 2], [2]), { device }),
    TypeError,
    "2 dimensions",
  );
  await assertRejects(
    () => estimateDensity(rows, rows, { device, bandwidth: 0 }),
    RangeError,
    "bandwidth must be",
  );
  await assertRejects(
    () => estimateDensity(rows, rows, { device, epsilon: 1 }),
    RangeError,
    "epsilon must lie",
  );
  await assertRejects(
    () => kernelSum(rows, { device, samples: 1 }),
    RangeError,
    "samples must be an integer",
  );
  await assertRejects(() => kernelSum(rows, { device, delta: 2 }), RangeError, "delta must lie");
  await assertRejects(() => topEigenpair(rows, { device, epsilon: -1 }), RangeError, "epsilon must lie");
  const weights = (w: number[]) => () => weightedExponentialKde(rows, w, rows, { device });
  await assertRejects(weights([1, 2]), TypeError, "a weight for each of 4 points: there are 2");
  await assertRejects(weights([1, -2, 0, 0]), RangeError, "weight 1 is -2");
  await assertRejects(weights([0, 0, 0, 0]), RangeError, "at least one weight must be positive");
});
