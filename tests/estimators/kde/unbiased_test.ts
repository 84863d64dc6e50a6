import { assertGreater, assertLessOrEqual } from "@std/assert";
import { makeCells } from "../../../estimators/kde/cells.ts";
import { CentredPoints } from "../../../estimators/kde/centred_points.ts";
import { Evaluations } from "../../../estimators/kde/density.ts";
import { HashingBased } from "../../../estimators/kde/hashing_based.ts";
import { MultiLevel } from "../../../estimators/kde/multi_level.ts";
import { NearestNeighbour } from "../../../estimators/kde/nearest_neighbour.ts";
import { uniformDensity } from "../../../estimators/kde/uniform.ts";
import { ReferenceBackend } from "../../../kernels/reference/backend.ts";
import { clusteredData, definedLogDensity, type DensityData, gaussianData } from "./densities.ts";

const RUNS = 40;
const FLOOR = 0.003;
/** So loose that one group is cheapest: the answer is then a plain mean, which has to be unbiased. */
const TARGET = { epsilon: 0.9, delta: 0.4, densityFloor: FLOOR };

const data = {
  gaussian: gaussianData(3000, 4, 3),
  clustered: clusteredData(3000, 4, 3),
  // Every query is one of the points, and each point is there three times.
  duplicates: duplicated(gaussianData(1000, 1, 3)),
};

function duplicated({ points, features }: DensityData): DensityData {
  const copies = Float32Array.of(...points, ...points, ...points);
  return { points: copies, queries: points.slice(0, 4 * features), features };
}

/** Asserts that the mean of runs of an estimator is the density, up to five standard errors found from the runs. */
async function assertUnbiased(
  name: string,
  set: DensityData,
  estimate: (points: CentredPoints, queries: Float32Array, seed: number) => Promise<Float64Array>,
): Promise<void> {
  const points = new CentredPoints(set.points, set.features), queries = points.place(set.queries);
  const expected = definedLogDensity(set).map(Math.exp);
  const runs: Float64Array[] = [];
  for (let seed = 0; seed < RUNS; seed++) runs.push((await estimate(points, queries, seed)).map(Math.exp));
  expected.forEach((density, query) => {
    const mean = runs.reduce((sum, run) => sum + run[query], 0) / RUNS;
    const variance = runs.reduce((sum, run) => sum + (run[query] - mean) ** 2, 0) / (RUNS - 1);
    const standardError = Math.sqrt(variance / RUNS);
    assertLessOrEqual(
      Math.abs(mean - density),
      5 * standardError + 1e-5 * density,
      `${name}, query ${query}: mean ${mean}, density ${density}, standard error ${standardError}`,
    );
  });
}

for (const [name, set] of Object.entries(data)) {
  const backend = new ReferenceBackend(), rows = Uint32Array.of(0, 1, 2, 3);

  Deno.test(`uniform sampling is unbiased: ${name}`, async () => {
    // With this floor there is only one guess, whose answer stands whatever it is.
    const target = { ...TARGET, densityFloor: 0.25 };
    await assertUnbiased(name, set, async (_, __, seed) => {
      const fitted = uniformDensity(backend, set.points, set.features, { ...target, seed });
      return (await fitted.logDensity(set.queries)).logDensity;
    });
  });

  Deno.test(`the hashing-based estimator is unbiased: ${name}`, async () => {
    await assertUnbiased(name, set, async (points, queries, seed) => {
      const estimator = new HashingBased(backend, points, { ...TARGET, seed });
      assertGreater(estimator.plan(FLOOR).functions, 0);
      return (await estimator.estimate(queries, FLOOR, TARGET.delta)).logDensity;
    });
  });

  Deno.test(`the multi-level estimator is unbiased: ${name}`, async () => {
    await assertUnbiased(name, set, async (points, queries, seed) => {
      const estimator = new MultiLevel(backend, points, { ...TARGET, seed });
      assertGreater(Math.max(...estimator.plan(FLOOR).levels.map(({ functions }) => functions)), 0);
      return (await estimator.estimate(queries, FLOOR, TARGET.delta)).logDensity;
    });
  });

  Deno.test(`near points and random others are unbiased together: ${name}`, async () => {
    await assertUnbiased(name, set, async (points, queries, seed) => {
      const target = { ...TARGET, seed }, cells = await makeCells(backend, points, seed, new Evaluations());
      const estimator = new NearestNeighbour(backend, points, cells, queries, target);
      return (await estimator.estimateAt(rows, 0.03, TARGET.delta)).logDensity;
    });
  });
}
