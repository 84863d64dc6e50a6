import { assert, assertAlmostEquals, assertEquals, assertGreater, assertLess } from "@std/assert";
import type { DensityRows } from "../../../estimators/robust/density_rows.ts";
import { featureDistances, quantile } from "../../../estimators/robust/feature_distances.ts";
import { fractionCorners, hampelWeights, percentileCorners } from "../../../estimators/robust/hampel.ts";
import { huberWeights } from "../../../estimators/robust/huber.ts";
import { kernelRowMeans } from "../../../estimators/robust/kernel_row_means.ts";
import { projectedWeights, projectOnSimplex } from "../../../estimators/robust/scaled_projection.ts";
import { onEachBackend } from "../../backends.ts";
import { normals } from "../../data.ts";
import { largestDifference, sumOf } from "../../precision.ts";

const WIDTH = 3;
const rowsOf = (data: Float32Array): DensityRows => ({
  data,
  heads: 1,
  keys: data.length / WIDTH,
  width: WIDTH,
});

/** The kernel matrix by its definition. */
function kernelMatrix({ data, keys }: DensityRows): number[][] {
  return Array.from({ length: keys }, (_, i) =>
    Array.from({ length: keys }, (_, j) => {
      let squared = 0;
      for (let t = 0; t < WIDTH; t++) squared += (data[i * WIDTH + t] - data[j * WIDTH + t]) ** 2;
      return Math.exp(-squared / 2);
    }));
}

onEachBackend("row means are those of the kernel matrix, each row's own 1 included", async (backend) => {
  for (const keys of [1, 2, 77]) {
    const rows = rowsOf(normals(keys, keys * WIDTH)),
      { means, kernelEvaluations } = await kernelRowMeans(backend, rows);
    const expected = kernelMatrix(rows).map((row) => sumOf(row) / keys);
    assertLess(largestDifference(means, expected), 1e-6);
    assertEquals(kernelEvaluations, keys ** 2);
  }
});

onEachBackend("sampled row means are unbiased, that of the sampled keys themselves too", async (backend) => {
  const keys = 24, samples = 6, seeds = 400, rows = rowsOf(normals(4, keys * WIDTH));
  const kernel = kernelMatrix(rows), sums = new Float64Array(keys);
  for (let seed = 0; seed < seeds; seed++) {
    const { means, kernelEvaluations } = await kernelRowMeans(backend, rows, { samples, seed });
    assertEquals(kernelEvaluations, keys * samples);
    means.forEach((mean, j) => sums[j] += mean / seeds);
  }
  kernel.forEach((row, j) => {
    // Four standard deviations of a mean of draws without replacement, from at least samples − 1 others.
    const others = row.toSpliced(j, 1), mean = sumOf(others) / (keys - 1);
    const variance = sumOf(others.map((x) => (x - mean) ** 2)) / (keys - 2) / (samples - 1);
    assertLess(Math.abs(sums[j] - sumOf(row) / keys), 4 * Math.sqrt(variance / seeds));
  });
});

Deno.test("distances to the mean are those of functions, and 0 for equal keys", () => {
  const rows = rowsOf(normals(5, 30 * WIDTH)), kernel = kernelMatrix(rows), n = kernel.length;
  const means = Float64Array.from(kernel, (row) => sumOf(row) / n);
  const { distances, meanNorm } = featureDistances(means);
  assertAlmostEquals(meanNorm, sumOf(kernel.flat()) / n ** 2, 1e-12);
  // ‖Φ(x) − mean‖² = Σ_ij c_i c_j K_ij with c = e_x − 1/n.
  for (const x of [0, 13]) {
    const c = Array.from({ length: n }, (_, i) => (i === x ? 1 : 0) - 1 / n);
    const squared = sumOf(kernel.map((row, i) => c[i] * sumOf(row.map((k, j) => c[j] * k))));
    assertAlmostEquals(distances[x] ** 2, squared, 1e-9);
  }
  const equal = featureDistances(new Float64Array(5).fill(1 + 3e-7));
  assertEquals([...equal.distances], [0, 0, 0, 0, 0]);
  for (
    const weights of [
      huberWeights(equal),
      hampelWeights(equal, fractionCorners(equal, 0.1)),
      hampelWeights(equal, percentileCorners(equal)),
    ]
  ) {
    assertEquals([...weights], [1, 1, 1, 1, 1]);
  }
});

Deno.test("Huber's and Hampel's functions at their corners", () => {
  const given = (distances: number[]) => ({ distances: Float64Array.from(distances), meanNorm: 0.5 });
  assertEquals([...huberWeights(given([1, 2, 4]))], [1, 1, 0.5]);
  const corners = { a: 1, b: 2, c: 4 };
  assertEquals([...hampelWeights(given([0.5, 1, 1.5, 2, 3, 4, 5]), corners)], [
    1,
    1,
    1 / 1.5,
    0.5,
    1 / 6,
    0,
    0,
  ]);
  // A step, where two corners are one.
  assertEquals([...hampelWeights(given([1, 2, 2.1]), { a: 2, b: 2, c: 2 })], [1, 1, 0]);
  assertEquals(quantile(Float64Array.of(4, 1, 3, 2), 0.5), 2.5);
});

Deno.test("corners by a share: row means from twice the share on weigh 1, those up to the share 0", () => {
  const means = Float64Array.from({ length: 40 }, (_, j) => j < 36 ? 0.6 : [0.2001, 0.15, 0.1, 0.05][j - 36]);
  const distances = featureDistances(means),
    weights = hampelWeights(distances, fractionCorners(distances, 0.1));
  assert(weights.subarray(0, 37).every((weight) => weight === 1));
  assert(weights[37] > 0 && weights[37] < 1);
  assertEquals([...weights.subarray(38)], [0, 0]);
});

Deno.test("corners by a share: no more keys than that lose weight, however far out they lie", () => {
  for (const far of [4, 5, 20]) {
    const distances = featureDistances(
      Float64Array.from({ length: 40 }, (_, j) => j < far ? 0.01 + j / 500 : 0.6),
    );
    const weights = hampelWeights(distances, fractionCorners(distances, 0.1));
    assertEquals([...weights.subarray(0, 4)], [0, 0, 0, 0], `${far}`);
    assertEquals(weights.filter((weight) => weight < 1).length, 4, `${far}`);
  }
});

Deno.test("corners by a share: keys that differ by rounding weigh alike", () => {
  const distances = featureDistances(
    Float64Array.from({ length: 40 }, (_, j) => j < 20 ? 0.02 + j * 1e-9 : 0.6),
  );
  const weights = hampelWeights(distances, fractionCorners(distances, 0.1));
  assert(weights.every((weight) => weight > 0.999));
});

Deno.test("projectOnSimplex() gives the nearest point of the simplex", () => {
  for (const seed of [1, 2, 3]) {
    const point = Float64Array.from(normals(seed, 9)), near = projectOnSimplex(point);
    assertAlmostEquals(sumOf(near), 1, 1e-12);
    assert(near.every((w) => w >= 0));
    // ⟨point − near, corner − near⟩ <= 0 for every corner.
    for (let corner = 0; corner < 9; corner++) {
      const along = sumOf(near.map((w, j) => (point[j] - w) * ((j === corner ? 1 : 0) - w)));
      assertLess(along, 1e-12);
    }
  }
});

onEachBackend("projected weights are optimal, and 0 for lone outliers only", async (backend) => {
  const keys = 100, data = normals(6, keys * WIDTH, 0.1), rows = rowsOf(data);
  // Three keys apart from all others and from each other.
  [30, -40, 60].forEach((x, at) => data[at * WIDTH] = x);
  const { weights, gap } = await projectedWeights(backend, rows, 0.1);
  assertLess(gap, 1.1e-3);
  assertEquals([...weights.subarray(0, 3)], [0, 0, 0]);
  assertEquals(Math.max(...weights), 1);
  const kernel = kernelMatrix(rows), total = sumOf(weights), w = weights.map((x) => x / total);
  const objective = (of: ArrayLike<number>) => {
    const products = kernel.map((row) => sumOf(row.map((k, j) => k * of[j])));
    const linear = kernel.map((row) => sumOf(row) / keys / 0.9);
    return sumOf(products.map((p, j) => of[j] * (p / 2 - linear[j])));
  };
  const found = objective(w);
  // No point of the simplex on the way to a corner is lower by more than the gap allows.
  for (let corner = 0; corner < keys; corner++) {
    for (const step of [0.01, 0.1]) {
      const moved = w.map((x, j) => (1 - step) * x + (j === corner ? step : 0));
      assertGreater(objective(moved), found - 1.1e-3 * Math.abs(found));
    }
  }
  // Eight in one place, fewer than the tenth that is taken off, keep weight.
  for (let row = 0; row < 8; row++) data.fill(30, row * WIDTH, (row + 1) * WIDTH);
  const together = await projectedWeights(backend, rows, 0.1);
  assert(together.weights.subarray(0, 8).every((weight) => weight > 0));
});
