import { assertAlmostEquals, assertEquals, assertGreater } from "@std/assert";
import { bestMethod } from "../../../estimators/methods/auto/auto_plan.ts";
import { fitsSlope } from "../../../estimators/methods/calibrated/calibrated.ts";
import { chooseProbes, leverages } from "../../../estimators/methods/shared/probe_queries.ts";
import { scatteredPlaces } from "../../../estimators/linear_algebra/scattered_places.ts";
import { makeProblem } from "../../../estimators/core/problem.ts";
import { RandomStream } from "../../../kernels/random.ts";
import { type Tensor, tensor } from "../../../kernels/tensor.ts";
import { normals } from "../../data.ts";
import { sumOf } from "../../precision.ts";

Deno.test("chooseProbes() takes distinct rows, the outlying ones among them", () => {
  const count = 500, width = 4, rows = normals(4, count * width);
  for (const far of [17, 200, 499]) for (let c = 0; c < width; c++) rows[far * width + c] = 50 + far;
  const counts = { uniform: 40, outlying: 3, heldOut: 10 };
  const picks = chooseProbes(rows, count, width, counts, new RandomStream(1, 300));
  assertEquals(picks.length, 53);
  assertEquals(new Set(picks).size, 53);
  assertEquals([...picks.subarray(40, 43)], [499, 200, 17]);
  assertEquals(picks, chooseProbes(rows, count, width, counts, new RandomStream(1, 300)));
  // Σ over the rows of the leverages is count · features.
  assertAlmostEquals(
    sumOf(leverages(rows, width, scatteredPlaces(count, count))),
    count * width,
    1e-6 * count,
  );
  assertEquals([...leverages(new Float32Array(12).fill(1e20), 4, Uint32Array.of(0, 1, 2))], [0, 0, 0]);
});

Deno.test("bestMethod() calibrates where the budget pays for rows to fit to", () => {
  const problem = (queries: number, keys: number) =>
    makeProblem(
      tensor(new Float32Array(queries), [queries, 1]),
      tensor(new Float32Array(keys), [keys, 1]),
      tensor(new Float32Array(keys), [keys, 1]),
    );
  const budget = { bucketSize: 64, samples: 128, seed: 0 };
  const chosen = bestMethod(problem(4096, 4096), budget);
  assertEquals(chosen.name, "calibrated");
  assertGreater(budget.samples, chosen.budget.samples);
  // A linear function of wide queries costs time that fewer keys make up for.
  const wide = makeProblem(
    ...[4096, 4096, 4096].map((rows) => tensor(new Float32Array(rows * 64), [rows, 64])) as [
      Tensor,
      Tensor,
      Tensor,
    ],
  );
  assertGreater(chosen.budget.samples, bestMethod(wide, budget).budget.samples);
  assertEquals([fitsSlope(wide, budget), fitsSlope(wide, { ...budget, bucketSize: 4, samples: 16 })], [
    true,
    false,
  ]);
  assertEquals(bestMethod(problem(530, 4096), budget), { name: "calibrated", budget });
  assertEquals(bestMethod(problem(100, 4096), budget), { name: "kdeformer-practical", budget });
});
