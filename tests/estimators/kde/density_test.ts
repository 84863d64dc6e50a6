import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertLess,
  assertLessOrEqual,
  assertThrows,
} from "@std/assert";
import type { DensityTarget } from "../../../estimators/kde/density.ts";
import { exactDensity } from "../../../estimators/kde/exact.ts";
import { guessesDownTo } from "../../../estimators/kde/floor_search.ts";
import { densityFit, densityMethods } from "../../../estimators/kde/methods.ts";
import { ReferenceBackend } from "../../../kernels/reference/backend.ts";
import { clopperPearson } from "../../../proofs_checks/statistics/binomial.ts";
import { normals } from "../../data.ts";
import { onEachBackend } from "../../backends.ts";
import { largestDifference } from "../../precision.ts";
import { clusteredData, definedLogDensity, farData, gaussianData } from "./densities.ts";

const target: DensityTarget = { epsilon: 0.5, delta: 0.1, densityFloor: 0.01, seed: 1 };
const families = { gaussian: gaussianData, clustered: clusteredData, far: farData };
const sampling = densityMethods.filter((method) => method !== "exact");

onEachBackend(
  "exact densities are right near and far, whatever all points have in common",
  async (backend) => {
    const features = 5, shapes = [[1, 1], [7, 3], [300, 40]];
    for (const [count, queries] of shapes) {
      const data = gaussianData(count, queries, features);
      const moved = (rows: Float32Array) => rows.map((x, at) => x + (at % features === 2 ? 4096 : 0));
      const far = { ...data, queries: data.queries.map((x, at) => x + (at % features === 0 ? 300 : 0)) };
      for (const set of [data, { ...data, points: moved(data.points), queries: moved(data.queries) }, far]) {
        const { logDensity, kernelEvaluations } = await exactDensity(backend, set.points, features, target)
          .logDensity(set.queries);
        const expected = definedLogDensity(set);
        // Rounding of far densities is relative.
        const largest = expected.reduce((a, b) => Math.max(a, Math.abs(b)), 1);
        assertLess(largestDifference(logDensity, expected), 1e-5 + 1e-6 * largest);
        assertEquals(kernelEvaluations, count * queries);
      }
    }
  },
);

Deno.test("densities of rows so far out that f32 could not tell them apart are exact", async () => {
  const points = normals(1, 400).map((x, at) => x + (at < 200 ? 3000 : -3000)), queries = points.slice(0, 8);
  const { logDensity } = await exactDensity(new ReferenceBackend(), points, 4, target).logDensity(queries);
  const expected = definedLogDensity({ points, queries, features: 4 });
  // Differences of coordinates as given are exact to half a unit, however far out the rows are.
  assertLess(largestDifference(logDensity, expected), 1e-5);
});

for (const method of sampling) {
  Deno.test(`${method}: relative error within epsilon as often as delta asks`, async () => {
    const fit = densityFit(method), backend = new ReferenceBackend(), runs = 30, delta = 0.2;
    for (const [name, make] of Object.entries(families)) {
      const data = make(6000, 1, 3), [expected] = definedLogDensity(data);
      let failures = 0, below = 0;
      for (let seed = 0; seed < runs; seed++) {
        const { logDensity: [found] } = await fit(backend, data.points, data.features, {
          ...target,
          delta,
          seed,
        })
          .logDensity(data.queries);
        const allowed = target.epsilon * Math.max(Math.exp(expected), target.densityFloor);
        if (Math.abs(Math.exp(found) - Math.exp(expected)) > allowed) failures++;
        if (Math.exp(expected) < target.densityFloor) below++;
      }
      assertEquals(below, name === "far" ? runs : 0);
      const { upper } = clopperPearson(failures, runs, 0.99);
      assertLessOrEqual(upper, delta, `${name}: ${failures} of ${runs} runs failed`);
    }
  });

  Deno.test(`${method}: fewer evaluations than points where the density allows, and their number hardly grows`, async () => {
    const costs: number[] = [];
    for (const count of [8000, 16000, 32000]) {
      const data = clusteredData(count, 8, 3);
      const loose = { ...target, epsilon: 0.8, delta: 0.2, densityFloor: 0.02 };
      const estimate = await densityFit(method)(new ReferenceBackend(), data.points, 3, loose)
        .logDensity(data.queries);
      costs.push(estimate.kernelEvaluations / 8);
      assertLess(estimate.kernelEvaluations / 8, count, `${count} points`);
    }
    const slope = Math.log(costs[2] / costs[0]) / Math.log(4);
    // Near points and cell centres grow as √n; nothing else grows.
    assertLess(slope, 0.7, `evaluations ${costs}`);
  });

  Deno.test(`${method}: one point, one feature, copies, and queries that are points`, async () => {
    const fit = densityFit(method), backend = new ReferenceBackend();
    const one = await fit(backend, Float32Array.of(3), 1, target).logDensity(Float32Array.of(3, 4));
    assertAlmostEquals(one.logDensity[0], 0, 1e-6);
    assertAlmostEquals(one.logDensity[1], -0.5, 1e-6);
    const copies = new Float32Array(20000).fill(0.7);
    const same = await fit(backend, copies, 1, target).logDensity(Float32Array.of(0.7));
    assertLessOrEqual(Math.abs(Math.expm1(same.logDensity[0])), target.epsilon);
    // A point far from all others has only itself: a density of exactly 1/n, which must not be lost.
    const lonely = normals(5, 1000).map((x) => 0.1 * x);
    lonely[0] = 50;
    const alone = await fit(backend, lonely, 1, { ...target, densityFloor: 1e-3 }).logDensity(
      Float32Array.of(50),
    );
    assertLessOrEqual(Math.abs(Math.expm1(alone.logDensity[0] + Math.log(1000))), target.epsilon);
  });

  Deno.test(`${method}: the seed decides the answers`, async () => {
    const data = clusteredData(8000, 6, 3), backend = new ReferenceBackend();
    const loose = { ...target, epsilon: 0.8, delta: 0.2 };
    const run = (seed: number) =>
      densityFit(method)(backend, data.points, 3, { ...loose, seed }).logDensity(data.queries);
    const first = await run(1);
    assertEquals(await run(1), first);
    if (method !== "nearest-neighbour") {
      assert(largestDifference((await run(2)).logDensity, first.logDensity) > 0);
    }
  });
}

Deno.test("an estimator answers the same again, and builds nothing twice", async () => {
  const data = clusteredData(8000, 6, 3), loose = { ...target, epsilon: 0.8, delta: 0.2 };
  for (const method of sampling) {
    const fitted = densityFit(method)(new ReferenceBackend(), data.points, 3, loose);
    const first = await fitted.logDensity(data.queries), second = await fitted.logDensity(data.queries);
    assertEquals(second.logDensity, first.logDensity);
    assertEquals(second.buildEvaluations, 0, method);
  }
});

Deno.test("guessesDownTo() ends with the floor", () => {
  assertEquals(guessesDownTo(1), [1]);
  assertEquals(guessesDownTo(0.01), [0.25, 0.0625, 0.015625, 0.01]);
});

Deno.test("estimators name what is wrong with their input", () => {
  const backend = new ReferenceBackend(), points = new Float32Array(6);
  const attempt = (rows: Float32Array, features: number, change: Partial<DensityTarget>) => () => {
    for (const method of densityMethods) {
      densityFit(method)(backend, rows, features, { ...target, ...change });
    }
  };
  assertThrows(
    attempt(points, 2, { epsilon: 2 }),
    RangeError,
    "epsilon must lie between 0 and 1: current value is 2",
  );
  assertThrows(
    attempt(points, 2, { delta: 0 }),
    RangeError,
    "delta must lie between 0 and 1: current value is 0",
  );
  assertThrows(attempt(points, 2, { densityFloor: 0 }), RangeError, "densityFloor must be in (0, 1]");
  assertThrows(attempt(points, 2, { densityFloor: NaN }), RangeError, "current value is NaN");
  assertThrows(attempt(points, 2, { seed: -1 }), RangeError, "seed must be an integer");
  assertThrows(attempt(points, 4, {}), TypeError, "whole rows of 4 features: it has 6 values");
  assertThrows(attempt(points, 0, {}), RangeError, "features must be an integer from 1");
  assertThrows(attempt(new Float32Array(0), 2, {}), RangeError, "at least one row");
  const broken = Float32Array.of(1, 2, 3, NaN, 5, 6);
  assertThrows(attempt(broken, 2, {}), RangeError, "points must be finite: row 1, column 1 is NaN");
  assertThrows(() => densityFit("kd-tree" as "exact"), RangeError, "current value is kd-tree");
});
