import { assertEquals, assertGreater, assertLess, assertLessOrEqual, assertMatch } from "@std/assert";
import { exactAttention } from "../../../../estimators/core/exact.ts";
import { drawDirections } from "../../../../estimators/methods/rivals/shared/random_directions.ts";
import {
  attendScattered,
  scatterbrain,
} from "../../../../estimators/methods/rivals/scatterbrain/scatterbrain.ts";
import { windowsOf, windowsWithin } from "../../../../estimators/methods/rivals/scatterbrain/windows.ts";
import { ReferenceBackend } from "../../../../kernels/reference/backend.ts";
import { onEachBackend } from "../../../backends.ts";
import { largestDifference } from "../../../precision.ts";
import { assertTakesHardInputs } from "./hard_inputs.ts";
import { normalProblem } from "./problems.ts";
import { assertUnbiased } from "./unbiased.ts";

onEachBackend(
  "scatterbrain is exact where the windows cover everything, whatever the features say",
  async (backend) => {
    // Keys so long that features are off by orders of magnitude.
    const problem = normalProblem({ queries: 70, keys: 90, size: 6 });
    const exact = await exactAttention(new ReferenceBackend(), problem);
    for (const blocks of [1, 2]) {
      const windows = windowsOf(70, 90, blocks), head = { ...problem, at: 0 };
      const actual = await attendScattered(backend, problem, head, windows, { features: 5 }, 1);
      backend.reset();
      assertLess(largestDifference(actual.output, exact.output), 1e-4);
      assertLess(largestDifference(actual.logSumExp, exact.logSumExp), 1e-4);
    }
  },
);

Deno.test("scatterbrain sums exact weights in the window and features outside, written out", async () => {
  const [queries, keys, d, features] = [23, 17, 3, 6];
  for (const scale of [0.8, -0.8]) {
    const problem = normalProblem({ queries, keys, d, dV: 1, scale }), { query, key, value } = problem;
    const windows = windowsOf(queries, keys, 6), options = { features, orthogonal: true, paired: true };
    const head = { ...problem, at: 0 };
    const actual = await attendScattered(new ReferenceBackend(), problem, head, windows, options, 9);
    const directions = drawDirections(9, 0, features, d, options);
    const dot = (a: Float32Array, i: number, b: Float32Array, j: number) => {
      let sum = 0;
      for (let c = 0; c < d; c++) sum += a[i * d + c] * b[j * d + c];
      return sum;
    };
    const feature = (rows: Float32Array, row: number, of: number, sign: number) =>
      Math.exp(
        sign * Math.sqrt(Math.abs(scale)) * dot(rows, row, directions, of) -
          Math.abs(scale) / 2 * dot(rows, row, rows, row),
      );
    for (let block = 0; block < 6; block++) {
      const [start, end, first, beyond] = windows.positions.subarray(4 * block, 4 * block + 4);
      for (let i = start; i < end; i++) {
        let mass = 0, product = 0;
        for (let j = 0; j < keys; j++) {
          let weight = 0;
          if (j >= first && j < beyond) weight = Math.exp(scale * dot(query, i, key, j));
          else {
            for (let of = 0; of < features; of++) {
              weight += feature(query, i, of, Math.sign(scale)) * feature(key, j, of, 1) / features;
            }
          }
          mass += weight;
          product += weight * value[j];
        }
        assertLess(Math.abs(actual.logSumExp[i] - Math.log(mass)), 1e-6);
        assertLess(Math.abs(actual.output[i] - product / mass), 1e-6);
      }
    }
  }
});

Deno.test("scatterbrain's numerators and denominators are unbiased", async () => {
  const problem = normalProblem({ queries: 20, keys: 30, d: 4, dV: 2, size: 0.6 });
  const windows = windowsOf(20, 30, 10), head = { ...problem, at: 0 };
  const attend = (seed: number) =>
    attendScattered(new ReferenceBackend(), problem, head, windows, { features: 9, orthogonal: true }, seed);
  await assertUnbiased(problem, attend, { seeds: 400, precise: 0.02 });
});

onEachBackend("scatterbrain() gives the reference's result within its budget", async (backend) => {
  for (const [queries, keys] of [[300, 300], [90, 400], [400, 130], [3, 200]]) {
    for (const samples of [70, 105]) {
      const problem = normalProblem({ queries, keys, d: 9, dV: 5, heads: 2 });
      const budget = { bucketSize: 20, samples, seed: 4 };
      if (scatterbrain.refusal!(problem, budget) !== undefined) continue;
      const actual = await scatterbrain.attend(backend, problem, budget);
      backend.reset();
      const expected = await scatterbrain.attend(new ReferenceBackend(), problem, budget);
      assertEquals(actual.keyEvaluations, expected.keyEvaluations);
      assertLessOrEqual(actual.keyEvaluations, 2 * queries * (20 + samples));
      assertGreater(actual.keyEvaluations, 1.2 * queries * (20 + samples));
      assertLess(largestDifference(actual.output, expected.output), 1e-4);
      assertLess(largestDifference(actual.logSumExp, expected.logSumExp), 1e-4);
    }
  }
});

onEachBackend(
  "scatterbrain() takes hard inputs within its budget, and stays within the values",
  async (backend) => {
    await assertTakesHardInputs(scatterbrain, backend, 1e-5);
  },
);

Deno.test("windows are those of the blocks beside, and as wide as the budget allows", () => {
  const { positions, pairs, mostKeys } = windowsOf(8, 12, 4);
  assertEquals([...positions], [0, 2, 0, 6, 2, 4, 0, 9, 4, 6, 3, 12, 6, 8, 6, 12]);
  assertEquals([pairs, mostKeys], [2 * (6 + 9 + 9 + 6), 9]);
  for (const [queries, keys, most] of [[100, 100, 12], [17, 400, 50], [400, 17, 5], [1, 90, 3]]) {
    const { blocks, pairs } = windowsWithin(queries, keys, most);
    assertLessOrEqual(pairs, most * queries);
    if (blocks > 1) assertGreater(1.3 * windowsOf(queries, keys, blocks - 1).pairs, pairs);
  }
});

Deno.test("scatterbrain refuses a budget without room for a window and a feature", () => {
  const problem = normalProblem({ queries: 20, keys: 100 });
  assertMatch(
    scatterbrain.refusal!(problem, { bucketSize: 4, samples: 4, seed: 0 })!,
    /at least 9 evaluations.*20 queries and 100 keys: current value is 8/,
  );
  assertEquals(scatterbrain.refusal!(problem, { bucketSize: 4, samples: 5, seed: 0 }), undefined);
});
