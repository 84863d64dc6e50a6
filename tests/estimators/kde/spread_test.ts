import { assert, assertLess, assertLessOrEqual } from "@std/assert";
import { densityMethods } from "../../../estimators/kde/methods.ts";
import { estimateDensity } from "../../../estimators/kde/estimate_density.ts";
import { kernelSum } from "../../../estimators/kde/kernel_sum.ts";
import { topEigenpair } from "../../../estimators/kde/top_eigenpair.ts";
import { weightedExponentialKde } from "../../../estimators/kde/weighted_exponential_kde.ts";
import { largestEigenvalue } from "../../../estimators/linear_algebra/largest_eigenvalue.ts";
import { tensor } from "../../../kernels/tensor.ts";
import { normals } from "../../data.ts";
import { onEachDevice } from "../../devices.ts";
import { assertPrecise } from "../../precision.ts";
import { logKernelSum, spreadData, squaredDistances } from "./spread_data.ts";

const exactly = (x: number) => x, f = Math.fround;
const rowsOf = (data: Float32Array, features: number) => tensor(data, [data.length / features, features]);

/** Errors of a family beside those of the plain formula, each relative to its answer or, where that is less than 1, absolute. */
class ErrorPool {
  readonly #actual: number[] = [];
  readonly #plain: number[] = [];

  add(actual: number, plain: number, exact: number): void {
    assert(Number.isFinite(actual), `${actual} in place of ${exact}`);
    const size = Math.max(1, Math.abs(exact));
    this.#actual.push((actual - exact) / size);
    // Where f32 overflows, the plain formula has no answer to be measured by.
    this.#plain.push(Number.isFinite(plain) ? (plain - exact) / size : 0);
  }

  /** The precision rule, for answers of about 1. */
  check(what: string): void {
    const zeros = this.#actual.map(() => 0), one = [1];
    assertPrecise([...this.#actual, 1], [...this.#plain, 1], [...zeros, ...one], what);
  }
}

onEachDevice(
  "exact densities are as right as f32 differences at any spread, offset and outlier",
  async (device) => {
    const pools = new Map<string, ErrorPool>();
    for (let seed = 0; seed < 60; seed++) {
      const { points, queries, features, bandwidth } = spreadData(seed);
      const options = { method: "exact", bandwidth, device } as const;
      const { logDensity } = await estimateDensity(
        rowsOf(points, features),
        rowsOf(queries, features),
        options,
      );
      const squared = squaredDistances(queries, points, features, bandwidth, exactly);
      const rounded = squaredDistances(queries, points, features, bandwidth, f);
      const count = points.length / features,
        own = (all: Float64Array, query: number) => all.subarray(query * count, (query + 1) * count);
      logDensity.forEach((found, query) => {
        const exact = logKernelSum(own(squared, query), exactly) - Math.log(count);
        const plain = f(logKernelSum(own(rounded, query), f) - f(Math.log(count)));
        const family = `${features} features, ${exact > -100 ? "near" : "far"}`;
        if (!pools.has(family)) pools.set(family, new ErrorPool());
        pools.get(family)!.add(found, plain, exact);
      });
    }
    for (const [family, pool] of pools) pool.check(family);
  },
);

onEachDevice(
  "sums and eigenvalues of kernel matrices are right at any spread, offset and outlier",
  async (device) => {
    const pool = new ErrorPool(), epsilon = 0.01;
    for (let seed = 100; seed < 130; seed++) {
      const { points, features, bandwidth, what } = spreadData(seed), rows = rowsOf(points, features);
      const count = rows.shape[0];
      const matrixBy = (round: (x: number) => number) =>
        squaredDistances(points, points, features, bandwidth, round).map((squared) =>
          round(Math.exp(-squared / 2))
        );
      const matrix = matrixBy(exactly), sumOf = (values: Float64Array) => values.reduce((a, b) => a + b, 0);
      const { sum } = await kernelSum(rows, { bandwidth, device }), expected = sumOf(matrix);
      pool.add(sum / expected, sumOf(matrixBy(f)) / expected, 1);
      const { value, vector } = await topEigenpair(rows, { bandwidth, device, method: "exact", epsilon });
      assertLess(Math.abs(value / largestEigenvalue(matrix.slice(), count) - 1), epsilon, what);
      const image = Array.from(
        vector,
        (_, row) => vector.reduce((s, x, j) => s + x * matrix[row * count + j], 0),
      );
      assertLess(
        Math.abs(image.reduce((s, x, row) => s + x * vector[row], 0) / value - 1),
        1e-5,
        what,
      );
    }
    pool.check("kernel sums");
  },
);

/** 40 sites of tight points in a square of that many bandwidths, far from 0; queries at sites. */
function sites(
  count: number,
  spread: number,
  bandwidth: number,
): { points: Float32Array; queries: Float32Array } {
  const noise = normals(3, 2 * count, 0.5);
  const points = noise.map((x, at) => {
    const site = (at >> 1) % 40, place = at % 2 === 0 ? site * 7919 % 41 : site * 1009 % 37;
    return bandwidth * (3 * spread + place * spread / 41 + x);
  });
  return { points, queries: points.slice(0, 12) };
}

onEachDevice("every method keeps epsilon on spreads of any number of bandwidths", async (device) => {
  const epsilon = 0.8, count = 20000, bandwidth = 5;
  for (const spread of [300, 3000, 1e6]) {
    const { points, queries } = sites(count, spread, bandwidth);
    const squared = squaredDistances(queries, points, 2, bandwidth, exactly);
    for (const method of densityMethods) {
      const options = { method, bandwidth, device, epsilon, delta: 1e-3, densityFloor: 0.015, seed: 2 };
      const { logDensity, kernelEvaluations } = await estimateDensity(
        rowsOf(points, 2),
        rowsOf(queries, 2),
        options,
      );
      // Hashes have digits up to some thousand bandwidths; beyond, these estimators answer exactly. The plan of the multi-level one
      // never pays here.
      const sampled = method === "uniform" || method === "nearest-neighbour" ||
        method === "hashing-based" && spread < 1e4;
      if (sampled) {
        assertLess(kernelEvaluations, 0.5 * count * logDensity.length, `${method}, spread ${spread}`);
      }
      logDensity.forEach((found, query) => {
        const expected = logKernelSum(squared.subarray(query * count, (query + 1) * count), exactly) -
          Math.log(count);
        const allowed = epsilon * Math.max(Math.exp(expected), options.densityFloor);
        assertLessOrEqual(
          Math.abs(Math.exp(found) - Math.exp(expected)),
          allowed,
          `${method}, spread ${spread}: ${found} for ${expected}`,
        );
      });
    }
  }
});

onEachDevice(
  "weighted exponential sums are as right as f32 products, far from 0 and with an outlier",
  async (device) => {
    const features = 3, count = 50, asked = 6;
    for (
      const [offset, spread, outlier] of [[0, 1, 0], [1e6, 1, 0], [0, 1e3, 0], [-3e4, 5, 0], [0, 1, 1e6]]
    ) {
      const points = normals(1, count * features, spread).map((x) => x + offset),
        weights = normals(2, count).map(Math.abs);
      const queries = normals(3, asked * features);
      points[7] += outlier;
      const sums = (round: (x: number) => number) =>
        Array.from({ length: asked }, (_, query) => {
          const logs = Array.from({ length: count }, (_, row) => {
            let product = 0;
            for (let t = 0; t < features; t++) {
              product = round(product + round(points[row * features + t] * queries[query * features + t]));
            }
            return round(round(Math.log(weights[row])) + product);
          });
          return logKernelSum(Float64Array.from(logs, (log) => -2 * log), round);
        });
      const exact = sums(exactly), plain = sums(f);
      const { logSum } = await weightedExponentialKde(
        rowsOf(points, features),
        weights,
        rowsOf(queries, features),
        {
          method: "exact",
          device,
        },
      );
      assertPrecise(logSum, plain, exact, `offset ${offset}, spread ${spread}, outlier ${outlier}`);
    }
  },
);

onEachDevice("densities at the ends of f32 are right", async (device) => {
  const density = async (points: number[], queries: number[], bandwidth: number) => {
    const options = { method: "exact", bandwidth, device } as const;
    return (await estimateDensity(
      tensor(points, [points.length, 1]),
      tensor(queries, [queries.length, 1]),
      options,
    ))
      .logDensity;
  };
  // Copies of one value at 10^30, and a bandwidth too small to tell it from its neighbours: only copies count.
  const [copies] = await density([1e30, 1e30, 2e30], [1e30], 1);
  assertLess(Math.abs(copies - Math.log(2 / 3)), 1e-15);
  // A query 10^20 bandwidths from the only points: the logarithm is −10^40/2.
  const [far] = await density([0, 1], [1e20], 1);
  assertLess(Math.abs(far / -5e39 - 1), 1e-6);
  // A bandwidth that swallows everything.
  const [same] = await density([-1e30, 0, 1e30], [3], 1e36);
  assertLess(Math.abs(same), 2 ** -23);
});
