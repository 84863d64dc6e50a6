/**
 * Error and cost of the density estimators against the number of points and the density:
 * `deno run -A bench/kde.ts [largest number of points]`. Prints Markdown; counts do not depend on the machine.
 */
import type { Backend } from "../kernels/backend.ts";
import { Purpose, RandomStream } from "../kernels/random.ts";
import { openWasm } from "../kernels/wasm/backend.ts";
import { exactDensity } from "../estimators/kde/exact.ts";
import { densityFit, densityMethods } from "../estimators/kde/methods.ts";

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

function median(values: ArrayLike<number>): number {
  const sorted = Array.from(values).sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

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

const largest = Number(Deno.args[0] ?? 65536);
const backend = await openWasm();
console.log(
  `Relative error asked for: ${EPSILON} with probability ${
    1 - DELTA
  }, for densities of at least half of that in the table, ` +
    `which is the median of ${QUERIES} queries. ${FEATURES} features.\n`,
);
console.log(
  "| data | density | n | method | median error | largest error | kernel evaluations a query | hash evaluations a query | " +
    "built for each point | of n |",
);
console.log("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
for (const [family, make] of Object.entries(families)) {
  for (const density of DENSITIES) {
    for (const count of SIZES.filter((size) => size <= largest)) {
      const rows = make(count + QUERIES), cut = count * FEATURES;
      const factor = await factorFor(backend, rows.subarray(0, cut), rows.subarray(cut), density);
      const points = scaled(rows.subarray(0, cut), factor), queries = scaled(rows.subarray(cut), factor);
      const expected = (await exact(backend, points, queries)).logDensity;
      const target = { epsilon: EPSILON, delta: DELTA, densityFloor: density / 2, seed: 7 };
      for (const method of densityMethods.filter((name) => name !== "exact")) {
        const found = await densityFit(method)(backend, points, FEATURES, target).logDensity(queries);
        const errors = Array.from(
          expected,
          (log, query) => [log, Math.abs(Math.expm1(found.logDensity[query] - log))],
        )
          .filter(([log]) => log >= Math.log(density / 2)).map(([, error]) => error);
        const perQuery = (total: number) => Math.round(total / QUERIES);
        console.log(
          `| ${family} | ${density} | ${count} | ${method} | ${median(errors).toFixed(3)} | ${
            Math.max(...errors).toFixed(3)
          } | ${perQuery(found.kernelEvaluations)} | ${perQuery(found.hashEvaluations)} | ${
            (found.buildEvaluations / count).toFixed(1)
          } | ${(found.kernelEvaluations / QUERIES / count).toFixed(2)} |`,
        );
      }
    }
  }
}
backend.destroy();
