import { holdsOn, noInput, ownCase } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import type { DrawRequest } from "../engine/density_draw.ts";
import { densityInput } from "./density_inputs.ts";
import { linearSize } from "./settings.ts";

const FLOOR = 0.02, FEATURES = 4;
/** All points on the query, or at one place beside it: the variance is then known, and small. */
const ONE_PLACE = "one-place", ONE_PLACE_AWAY = "one-place-away", ROUNDING = 1e-6;
/** So far, with a floor for which several hash functions pay. */
const AWAY = { distance: 1, floor: 0.002 } as const;

/** E of one draw is the density, for each estimator that draws. */
export const densityUnbiased: readonly Claim[] =
  (["hashing-based", "multi-level", "nearest-neighbour"] as const)
    .map((method): Claim => ({
      name: `density-unbiased-${method}`,
      statement:
        `A draw of the ${method} estimator has the density as its expectation, and at most the planned variance`,
      formula: "E Z = μ, Var Z <= V μ²",
      source: "docs/theory.md §1.2 to §1.4",
      assumptions: `densities above the floor ${FLOOR}`,
      measurement:
        "(mean of the draws − μ) / (μ √(V / draws)) at one query; where all points lie at one place V is what it then is, not the bound",
      rule: { kind: "mean", tolerance: 0.75 },
      bound: 0,
      cases: [
        ...holdsOn("gaussian", "clustered", "duplicated-keys"),
        // Of points on the query the nearest-neighbour estimator draws none.
        ...(method === "nearest-neighbour"
          ? []
          : [ONE_PLACE, ONE_PLACE_AWAY].map((name) => ownCase(noInput(name)))),
      ],
      anySource: false,
      n: 768,
      runs: 120,
      size: linearSize,
      async run({ implementation, input, seed, on, family, n }) {
        const ask = (request: Pick<DrawRequest, "points" | "queries" | "floor" | "distance">) =>
          on((backend) =>
            implementation.densityDraw(backend, method, { ...request, features: FEATURES, seed })
          );
        if (family === ONE_PLACE || family === ONE_PLACE_AWAY) {
          const { distance, floor } = family === ONE_PLACE ? { distance: 0, floor: FLOOR } : AWAY;
          const queries = new Float32Array(FEATURES);
          queries[0] = distance;
          const { density, varianceOnOnePlace } = await ask({
            ...{ points: new Float32Array(FEATURES * n), queries, floor, distance },
          });
          // Of few points a table holds all, and what is left is rounding.
          const deviation = Math.sqrt(Math.max(varianceOnOnePlace, ROUNDING ** 2));
          return { measured: (density[0] / Math.exp(-(distance ** 2) / 2) - 1) / deviation };
        }
        const { points, queries, features, density } = densityInput(
          await input({ queries: 1, features: FEATURES, valueFeatures: 1 }),
          2 * FLOOR,
        );
        // Every other query is one of the points: a self-match must count like any other pair.
        const rows = seed % 2 ? points.slice(0, features) : queries;
        const truth = seed % 2 ? ownDensity(points, features) : density[0];
        const { density: estimate, relativeVariance } = await ask({ points, queries: rows, floor: FLOOR });
        return { measured: (estimate[0] / truth - 1) / Math.sqrt(relativeVariance) };
      },
    }));

/** Density at the first point, itself included. */
function ownDensity(points: Float32Array, features: number): number {
  const count = points.length / features;
  let sum = 0;
  for (let j = 0; j < count; j++) {
    let squared = 0;
    for (let t = 0; t < features; t++) squared += (points[j * features + t] - points[t]) ** 2;
    sum += Math.exp(-squared / 2);
  }
  return sum / count;
}
