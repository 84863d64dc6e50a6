import { assert, assertAlmostEquals, assertEquals, assertGreater, assertLess } from "@std/assert";
import { calibrateValues } from "../../estimators/attention/calibrate_values.ts";
import { coresetOutput, coresetRows } from "../../estimators/attention/coreset.ts";
import { fitValues, limitValues } from "../../estimators/attention/fit_values.ts";
import { bestMethod } from "../../estimators/attention/best_method.ts";
import { chooseProbes, leverages } from "../../estimators/attention/probe_queries.ts";
import { makeProblem } from "../../estimators/attention/problem.ts";
import { shrinkUseless } from "../../estimators/attention/shrink_useless.ts";
import { RandomStream } from "../../kernels/random.ts";
import { tensor } from "../../kernels/tensor.ts";
import { normals } from "../data.ts";
import { largestDifference, sumOf } from "../precision.ts";

const PROBES = 30, SIZE = 6, WIDTH = 3;

/** Softmax rows of random logits over points with random values. */
function points(): { rows: Float64Array; value: Float64Array } {
  return {
    rows: coresetRows(normals(1, PROBES * SIZE, 2), SIZE, SIZE),
    value: Float64Array.from(normals(2, SIZE * WIDTH)),
  };
}

const even = new Float64Array(PROBES).fill(1);

Deno.test("coresetRows() are softmax rows over the points that are there", () => {
  const most = 9, logits = normals(3, PROBES * most, 30), rows = coresetRows(logits, most, SIZE);
  for (let i = 0; i < PROBES; i++) {
    const row = rows.subarray(i * SIZE, (i + 1) * SIZE);
    assertAlmostEquals(sumOf(row), 1, 1e-12);
    for (let s = 1; s < SIZE; s++) {
      const expected = logits[i * most + s] - logits[i * most];
      if (row[s] > 0 && row[0] > 0) assertAlmostEquals(Math.log(row[s] / row[0]), expected, 1e-9);
    }
  }
});

Deno.test("calibrateValues() lowers the error where there is something to learn, and refuses noise", () => {
  const { rows, value } = points();
  // Outputs that other values at the same points give exactly.
  const truth = value.map((z, at) => z + Math.cos(at)), output = coresetOutput(rows, truth, SIZE);
  const calibrated = calibrateValues(rows, value, output, even);
  assert(calibrated);
  const distance = (value: Float64Array) =>
    sumOf(coresetOutput(rows, value, SIZE).map((x, at) => (x - output[at]) ** 2));
  assertLess(distance(calibrated), 0.1 * distance(value));
  const noise = coresetOutput(rows, value, SIZE).map((x, at) => x + (at % (2 * WIDTH) < WIDTH ? 1 : -1));
  assertEquals(calibrateValues(rows, value, noise, even), undefined);
});

Deno.test("fitValues() calibrates the points of a head and shrinks what fails on the rows held out", () => {
  const heldOut = 8, logits = normals(4, (PROBES + heldOut) * SIZE, 2);
  const rows = coresetRows(logits, SIZE, SIZE), prior = normals(2, SIZE * WIDTH);
  const valueMean = Float32Array.of(5, -1, 0), truth = Float64Array.from(prior, (z, at) => z + Math.cos(at));
  const output = Float32Array.from(
    coresetOutput(rows, truth, SIZE),
    (x, at) => x + valueMean[at % WIDTH],
  );
  const fit = (output: Float32Array) => {
    const value = prior.map((z, at) => z + valueMean[at % WIDTH]);
    fitValues({ size: SIZE, most: SIZE, logits, value, output, valueMean, omega: even, largestValue: 20 });
    return value.map((z, at) => z - valueMean[at % WIDTH]);
  };
  const distance = (value: ArrayLike<number>) => largestDifference(value, truth);
  assertLess(distance(fit(output)), 0.6 * distance(prior));
  // Rows held out at which the outputs are the opposite of what the others teach.
  const opposite = output.map((x, at) => at < PROBES * WIDTH ? x : 2 * valueMean[at % WIDTH] - x);
  assertEquals(fit(opposite), new Float32Array(SIZE * WIDTH));
});

Deno.test("shrinkUseless() leaves a fit alone that helps and shrinks one that does not", () => {
  const exact = Float64Array.of(1, 0, -1, 2, 0.5, 0.5);
  assertEquals(shrinkUseless(exact.map((x) => 1.4 * x), exact, 2), 1);
  assertAlmostEquals(shrinkUseless(exact.map((x) => 4 * x), exact, 2), 1 / 4, 1e-12);
  assertEquals(shrinkUseless(exact.map((x) => -x), exact, 2), 0);
  // Only its first row speaks for it.
  assertEquals(shrinkUseless(Float64Array.of(2, 0, 3, -6), Float64Array.of(2, 0, -1, 2), 2), 0);
  assertEquals(shrinkUseless(new Float64Array(4), new Float64Array(4), 2), 1);
});

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
  assertAlmostEquals(sumOf(leverages(rows, count, width)), count * width, 1e-6 * count);
  assertEquals([...leverages(new Float32Array(12).fill(1e20), 3, 4)], [0, 0, 0]);
});

Deno.test("limitValues() keeps values with their mean within the range and moves no others", () => {
  const values = Float64Array.of(0, 0, 2, 9, -4, -3.5);
  limitValues(values, Float32Array.of(1, -2), 5);
  assertEquals([...values], [0, 0, 2, 7, -4, -3]);
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
  // The more a fit costs beside the rest, the less of the budget goes into it.
  assertGreater(chosen.budget.samples, bestMethod(problem(4096, 1024), budget).budget.samples);
  assertEquals(bestMethod(problem(500, 4096), budget), { name: "calibrated", budget });
  assertEquals(bestMethod(problem(100, 4096), budget), { name: "kdeformer-practical", budget });
});
