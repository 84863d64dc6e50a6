import { assertEquals, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import { CentredPoints } from "../../../estimators/kde/centred_points.ts";
import { HashingBased } from "../../../estimators/kde/hashing_based.ts";
import { envelope, planHashing } from "../../../estimators/kde/hashing_plan.ts";
import { planLevels } from "../../../estimators/kde/level_plan.ts";
import { MultiLevel } from "../../../estimators/kde/multi_level.ts";
import { ReferenceBackend } from "../../../kernels/reference/backend.ts";
import { clusteredData, definedLogDensity, gaussianData } from "./densities.ts";

Deno.test("envelope() is the largest mean under a bound on the mean kernel", () => {
  const kernel = [0, 0.1, 0.4, 1], value = [0, 0.5, 0.3, 0.9];
  let most = 0;
  const steps = 20;
  for (let a = 0; a <= steps; a++) {
    for (let b = 0; a + b <= steps; b++) {
      for (let c = 0; a + b + c <= steps; c++) {
        const weights = [a, b, c, steps - a - b - c].map((w) => w / steps);
        const mean = weights.reduce((sum, w, i) => sum + w * kernel[i], 0);
        if (mean <= 0.25 + 1e-12) most = Math.max(most, weights.reduce((sum, w, i) => sum + w * value[i], 0));
      }
    }
  }
  // The largest weights lie on the grid of weights that is searched.
  assertLessOrEqual(Math.abs(envelope(kernel, value, 0.25) - most), 0.02);
  assertGreater(envelope(kernel, value, 0.25), most - 1e-12);
});

Deno.test("draws of the hashing-based and multi-level estimators vary no more than their plans say", async () => {
  const floor = 0.003, count = 3000, backend = new ReferenceBackend(), runs = 40;
  for (const data of [gaussianData(count, 3, 3), clusteredData(count, 3, 3)]) {
    const points = new CentredPoints(data.points, data.features), queries = points.place(data.queries);
    const densities = definedLogDensity(data).map(Math.exp);
    for (const Estimator of [HashingBased, MultiLevel]) {
      const squares = new Float64Array(densities.length);
      let draws = 0;
      for (let seed = 0; seed < runs; seed++) {
        const target = { epsilon: 0.9, delta: 0.4, densityFloor: floor, seed };
        const estimator = new Estimator(backend, points, target), plan = estimator.draws(floor, 0.4);
        assertEquals(plan.groups, 1);
        draws = plan.perGroup;
        const { logDensity } = await estimator.estimate(queries, floor, 0.4);
        logDensity.forEach((log, query) =>
          squares[query] += (Math.exp(log) / densities[query] - 1) ** 2 / runs
        );
      }
      const { relativeVariance } = new Estimator(backend, points, {
        epsilon: 0.9,
        delta: 0.4,
        densityFloor: floor,
        seed: 0,
      })
        .plan(floor);
      densities.forEach((density, query) => {
        if (density < floor) return;
        // The bound holds for the worst points with that density, and these are not.
        assertLessOrEqual(squares[query] * draws, relativeVariance, `${Estimator.name}, density ${density}`);
      });
    }
  }
});

Deno.test("plans cost less than uniform sampling as densities fall, with the slopes of the theory", () => {
  const count = 1e8, floors = [1e-3, 1e-4, 1e-5, 1e-6];
  const hashing = floors.map((floor) => planHashing(floor, count).relativeVariance);
  const levels = floors.map((floor) => {
    const { levels, relativeVariance } = planLevels(floor, count);
    return relativeVariance * levels.reduce((sum, { candidates }) => sum + candidates, 0);
  });
  const slope = (costs: number[]) => Math.log(costs[3] / costs[0]) / Math.log(floors[0] / floors[3]);
  // Uniform sampling has slope 1; these hashes reach 1/2 only up to slowly growing factors.
  assertLess(slope(hashing), 0.75);
  assertLess(slope(levels), 0.55);
});
