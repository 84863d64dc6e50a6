/** Error and cost of the density estimators against the number of points and the density; counts know no machine. */
import type { Backend } from "../kernels/backend.ts";
import { Purpose, RandomStream } from "../kernels/random.ts";
import { openWasm } from "../kernels/wasm/backend.ts";
import { exactDensity } from "../estimators/kde/exact.ts";
import { densityFit, densityMethods } from "../estimators/kde/methods.ts";
import { markdownTable, median, medianAndRange } from "./markdown.ts";
import { tell } from "./timing.ts";

const FEATURES = 8, QUERIES = 32;
const EPSILON = 0.25, DELTA = 0.1;
const DENSITIES = [1e-1, 1e-2, 1e-3];
const SIZES = [1024, 4096, 16384, 65536];

/** Rows [count, features], the last QUERIES of which ask. */
type Family = (count: number) => Float32Array;

const families: Record<string, Family> = {
  gaussian: (count) => {
    const stream = new RandomStream(1, Purpose.data);
    return Float32Array.from({ length: count * FEATURES }, () => stream.normal());
  },
  clustered: (count) => {
    const stream = new RandomStream(2, Purpose.data), clusters = 64;
    const centres = Array.from({ length: clusters * FEATURES }, () => 10 * stream.normal());
    return Float32Array.from({ length: count * FEATURES }, (_, at) => {
      const cluster = Math.floor(at / FEATURES) % clusters;
      return centres[cluster * FEATURES + at % FEATURES] + stream.normal();
    });
  },
};

const scaled = (rows: Float32Array, factor: number) => rows.map((x) => x * factor);

/** The factor on all rows at which the median density of the queries is `density`. */
async function factorFor(
  backend: Backend,
  points: Float32Array,
  queries: Float32Array,
  density: number,
): Promise<number> {
  let low = 1e-3, high = 1e3;
  for (let step = 0; step < 30; step++) {
    const middle = Math.sqrt(low * high);
    const { logDensity } = await exact(backend, scaled(points, middle), scaled(queries, middle));
    if (median(logDensity) > Math.log(density)) low = middle;
    else high = middle;
  }
  return low;
}

function exact(backend: Backend, points: Float32Array, queries: Float32Array) {
  const target = { epsilon: EPSILON, delta: DELTA, densityFloor: 1, seed: 0 };
  return exactDensity(backend, points, FEATURES, target).logDensity(queries);
}

/** Every estimator on one input. */
async function measure(
  backend: Backend,
  family: string,
  density: number,
  count: number,
): Promise<string[][]> {
  tell(`${family}, density ${density}, n = ${count}`);
  const rows = families[family](count + QUERIES), cut = count * FEATURES;
  const factor = await factorFor(backend, rows.subarray(0, cut), rows.subarray(cut), density);
  const points = scaled(rows.subarray(0, cut), factor), queries = scaled(rows.subarray(cut), factor);
  const expected = (await exact(backend, points, queries)).logDensity;
  const target = { epsilon: EPSILON, delta: DELTA, densityFloor: density / 2, seed: 7 };
  const lines: string[][] = [];
  for (const method of densityMethods.filter((name) => name !== "exact")) {
    const found = await densityFit(method)(backend, points, FEATURES, target).logDensity(queries);
    const dense = Array.from(expected, (log, query) => ({ log, query }))
      .filter(({ log }) => log >= Math.log(density / 2));
    const errors = dense.map(({ log, query }) => Math.abs(Math.expm1(found.logDensity[query] - log)));
    const perQuery = (total: number) => String(Math.round(total / QUERIES));
    lines.push([
      family,
      String(density),
      String(count),
      method,
      medianAndRange(errors, (error) => error.toFixed(3)),
      perQuery(found.kernelEvaluations),
      perQuery(found.hashEvaluations),
      (found.buildEvaluations / count).toFixed(1),
      (found.kernelEvaluations / QUERIES / count).toFixed(2),
    ]);
  }
  return lines;
}

/** The section. */
export async function kde([largest = SIZES[SIZES.length - 1]]: readonly number[]): Promise<string> {
  const backend = await openWasm(), lines: string[][] = [];
  for (const family of Object.keys(families)) {
    for (const density of DENSITIES) {
      for (const count of SIZES.filter((size) => size <= largest)) {
        lines.push(...await measure(backend, family, density, count));
      }
    }
  }
  backend.destroy();
  const head = ["data", "density", "n", "method", "relative error", "kernel evaluations a query"];
  return [
    `Relative error asked for: ${EPSILON} with probability ${
      1 - DELTA
    }, for densities of at least half of that in ` +
    `the table, which is the median of ${QUERIES} queries; errors are median and range over the queries. ` +
    `${FEATURES} features. No times: counts do not depend on the machine.`,
    markdownTable([...head, "hash evaluations a query", "built for each point", "of n"], lines),
  ].join("\n\n");
}
