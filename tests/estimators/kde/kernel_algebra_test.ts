import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertLess,
  assertLessOrEqual,
  assertRejects,
} from "@std/assert";
import { estimateDensity } from "../../../estimators/kde/estimate_density.ts";
import { kernelProduct } from "../../../estimators/kde/kernel_product.ts";
import { type KernelName, kernelNames } from "../../../estimators/kde/kernels.ts";
import { kernelSum } from "../../../estimators/kde/kernel_sum.ts";
import { topEigenpair } from "../../../estimators/kde/top_eigenpair.ts";
import { weightedExponentialKde } from "../../../estimators/kde/weighted_exponential_kde.ts";
import { uniformSampleSize } from "../../../estimators/kde/uniform.ts";
import { densityMethods } from "../../../estimators/kde/methods.ts";
import { largestEigenvalue } from "../../../estimators/linear_algebra/largest_eigenvalue.ts";
import { openDevice } from "../../../kernels/device.ts";
import { type Tensor, tensor } from "../../../kernels/tensor.ts";
import { clopperPearson } from "../../../proofs_checks/statistics/binomial.ts";
import { normals } from "../../data.ts";
import { onEachDevice } from "../../devices.ts";
import { definedLogDensity } from "./densities.ts";

const points = (count: number, features: number, spread = 1, seed = 1): Tensor =>
  tensor(normals(seed, count * features, spread), [count, features]);

/** The kernel matrix in float64, from the formulas. */
function kernelMatrix(
  { data, shape: [count, features] }: Tensor,
  kernel: KernelName = "gaussian",
): Float64Array {
  return Float64Array.from({ length: count * count }, (_, at) => {
    const i = Math.floor(at / count), j = at % count;
    const differences = Array.from(
      { length: features },
      (_, t) => data[i * features + t] - data[j * features + t],
    );
    if (kernel === "gaussian") return Math.exp(-differences.reduce((sum, x) => sum + x * x, 0) / 2);
    if (kernel === "exponential") return Math.exp(-Math.hypot(...differences));
    return Math.exp(-differences.reduce((sum, x) => sum + Math.abs(x), 0));
  });
}

/** Matrix times vector. */
function times(matrix: Float64Array, vector: ArrayLike<number>): Float64Array {
  const count = vector.length;
  return Float64Array.from({ length: count }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < count; j++) sum += matrix[i * count + j] * vector[j];
    return sum;
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

onEachDevice(
  "sums, eigenvalues, products and densities of every kernel are those of its formula",
  async (device) => {
    const rows = points(150, 3),
      bandwidth = 2,
      scaled = tensor(rows.data.map((x) => x / bandwidth), rows.shape);
    const weights = normals(9, 150).map((x) => x > 1 ? 0 : Math.exp(3 * x));
    for (const kernel of kernelNames) {
      const matrix = kernelMatrix(scaled, kernel), options = { kernel, bandwidth, device };
      const { sum } = await kernelSum(rows, options);
      assertLess(Math.abs(sum / sumOf(matrix) - 1), 1e-5, kernel);
      const { value } = await topEigenpair(rows, { ...options, method: "exact", epsilon: 0.01 });
      assertLess(Math.abs(value / largestEigenvalue(matrix.slice(), 150) - 1), 0.01, kernel);
      const { product, kernelEvaluations } = await kernelProduct(rows, weights, {
        ...options,
        method: "exact",
      });
      const expected = times(matrix, weights);
      product.forEach((x, i) => assertLess(Math.abs(x / expected[i] - 1), 1e-5, kernel));
      // Entries of 0 cost nothing.
      assertEquals(kernelEvaluations, 150 * weights.filter((x) => x > 0).length);
      const { logDensity } = await estimateDensity(rows, rows, { ...options, method: "exact" });
      const means = times(matrix, new Float64Array(150).fill(1 / 150));
      logDensity.forEach((log, i) => assertLess(Math.abs(Math.exp(log) / means[i] - 1), 1e-5, kernel));
    }
  },
);

Deno.test("kernelProduct() by every method keeps epsilon, from fewer values where it samples", async () => {
  using device = await openDevice({ prefer: "wasm" });
  const rows = points(3000, 2, 0.35), weights = normals(8, 3000).map((x) => Math.exp(x));
  const floor = 0.05, total = sumOf(Float64Array.from(weights));
  for (const kernel of kernelNames) {
    const expected = times(kernelMatrix(rows, kernel), weights);
    for (const method of densityMethods) {
      if (kernel !== "gaussian" && method !== "uniform") continue;
      const { product, kernelEvaluations } = await kernelProduct(rows, weights, {
        ...{ kernel, method, device, epsilon: 0.4, delta: 0.01, densityFloor: floor, seed: 3 },
      });
      if (method === "uniform") assertLess(kernelEvaluations, 3000 ** 2 / 2);
      product.forEach((x, i) => {
        assertLess(
          Math.abs(x - expected[i]),
          0.4 * Math.max(expected[i], floor * total),
          `${kernel} ${method}`,
        );
        assert(x >= weights[i] && x <= total * (1 + 1e-12));
      });
    }
  }
});

Deno.test("kernelProduct() shares delta among its entries", async () => {
  const count = 3000,
    weights = new Float64Array(count).fill(1),
    target = { epsilon: 0.4, densityFloor: 0.25 };
  const { kernelEvaluations } = await kernelProduct(points(count, 2, 0.35), weights, {
    ...{ ...target, method: "uniform", device: "wasm", delta: 0.3 },
  });
  assertEquals(
    kernelEvaluations,
    count * uniformSampleSize(target.epsilon, 0.3 / count, target.densityFloor),
  );
});

Deno.test("kernelProduct() draws by weight: unbiased, and as precise as the draws are many", async () => {
  using device = await openDevice({ prefer: "reference" });
  const rows = points(400, 1, 0.3),
    weights = Float64Array.from({ length: 400 }, (_, j) => j % 100 === 0 ? 50 : 1);
  const expected = times(kernelMatrix(rows), weights), runs = 60, mean = new Float64Array(400);
  for (let seed = 0; seed < runs; seed++) {
    const options = { device, seed, epsilon: 0.5, delta: 0.5, densityFloor: 0.5 };
    const { product } = await kernelProduct(rows, weights, options);
    product.forEach((x, i) => mean[i] += x / runs);
  }
  // Each entry is a mean of 80 draws or more of values in [0, 1], so its own mean over runs varies by 1/(2 √4800) at most.
  const total = sumOf(weights);
  mean.forEach((x, i) => assertLess(Math.abs(x - expected[i]), 5 * total / (2 * Math.sqrt(80 * runs))));
});

Deno.test("kernelProduct() takes weights of any size, and none", async () => {
  const rows = points(50, 2), device = "reference" as const;
  const weights = Float64Array.from({ length: 50 }, (_, j) => j % 2 === 0 ? 1e308 : 1e-308);
  const { product } = await kernelProduct(rows, weights, { device, method: "exact", bandwidth: 1e-3 });
  product.forEach((x, i) => assertLess(Math.abs(x / weights[i] - 1), 1e-5));
  const zero = await kernelProduct(rows, new Float64Array(50), { device });
  assertEquals([zero.product, zero.kernelEvaluations], [new Float64Array(50), 0]);
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
  await assertRejects(
    () => estimateDensity(rows, rows, { device, kernel: "gauss" as KernelName }),
    RangeError,
    "kernel must be one of gaussian, exponential, laplace: current value is gauss",
  );
  await assertRejects(
    () => topEigenpair(rows, { device, kernel: "laplace", method: "multi-level" }),
    RangeError,
    "method must be exact or uniform where kernel is laplace: current value is multi-level",
  );
  const entries = (vector: number[]) => () => kernelProduct(rows, vector, { device });
  await assertRejects(entries([1]), TypeError, "vector must have an entry for each of 4 points: there are 1");
  await assertRejects(
    entries([1, 1, -2, 0]),
    RangeError,
    "vector must be finite and at least 0: entry 2 is -2",
  );
  const weights = (w: number[]) => () => weightedExponentialKde(rows, w, rows, { device });
  await assertRejects(weights([1, 2]), TypeError, "a weight for each of 4 points: there are 2");
  await assertRejects(weights([1, -2, 0, 0]), RangeError, "weight 1 is -2");
  await assertRejects(weights([0, 0, 0, 0]), RangeError, "at least one weight must be positive");
});
