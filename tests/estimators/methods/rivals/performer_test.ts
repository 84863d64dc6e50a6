import { assertEquals, assertLess, assertMatch } from "@std/assert";
import { attendByFeatures, performer } from "../../../../estimators/methods/rivals/performer/performer.ts";
import { drawDirections } from "../../../../estimators/methods/rivals/shared/random_directions.ts";
import { ReferenceBackend } from "../../../../kernels/reference/backend.ts";
import { onEachBackend } from "../../../backends.ts";
import { largestDifference, relativeError } from "../../../precision.ts";
import { assertTakesHardInputs } from "./hard_inputs.ts";
import { normalProblem } from "./problems.ts";
import { assertUnbiased } from "./unbiased.ts";

Deno.test("performer's numerators and denominators are unbiased, with directions of every kind", async () => {
  for (const options of [{}, { orthogonal: true }, { paired: true }, { orthogonal: true, paired: true }]) {
    const problem = normalProblem({ queries: 20, keys: 30, d: 4, dV: 2, size: 0.6 });
    const attend = (seed: number) =>
      attendByFeatures(
        new ReferenceBackend(),
        problem,
        { ...problem, at: 0 },
        { features: 11, ...options },
        seed,
      );
    await assertUnbiased(problem, attend, { seeds: 600, precise: 0.02 });
  }
});

Deno.test("performer is the mean of the products of features, written out", async () => {
  const problem = normalProblem({ queries: 7, keys: 9, d: 3, dV: 2, size: 1.5, scale: -0.7 }), features = 6;
  const { query, key, value, scale } = problem, root = Math.sqrt(Math.abs(scale));
  const directions = drawDirections(5, 0, features, 3, { orthogonal: true });
  const feature = (rows: Float32Array, row: number, of: number, sign: number) => {
    let product = 0, square = 0;
    for (let c = 0; c < 3; c++) {
      const x = sign * root * rows[row * 3 + c];
      product += directions[of * 3 + c] * x;
      square += x * x;
    }
    return Math.exp(product - square / 2) / Math.sqrt(features);
  };
  const actual = await attendByFeatures(new ReferenceBackend(), problem, { ...problem, at: 0 }, {
    features,
    orthogonal: true,
  }, 5);
  for (let i = 0; i < 7; i++) {
    let mass = 0, product = 0;
    for (let j = 0; j < 9; j++) {
      for (let of = 0; of < features; of++) {
        const weight = feature(query, i, of, Math.sign(scale)) * feature(key, j, of, 1);
        mass += weight;
        product += weight * value[2 * j];
      }
    }
    assertLess(Math.abs(actual.logSumExp[i] - Math.log(mass)), 1e-6);
    assertLess(Math.abs(actual.output[2 * i] - product / mass), 1e-6);
  }
});

onEachBackend("performer() gives the reference's result", async (backend) => {
  for (const [queries, keys] of [[300, 300], [90, 400], [400, 130]]) {
    const problem = normalProblem({ queries, keys, d: 9, dV: 5, heads: 3, size: 1.2 });
    const budget = { bucketSize: 30, samples: 60, seed: 4 };
    const actual = await performer.attend(backend, problem, budget);
    backend.reset();
    const expected = await performer.attend(new ReferenceBackend(), problem, budget);
    assertEquals(actual.keyEvaluations, expected.keyEvaluations);
    assertLess(largestDifference(actual.output, expected.output), 1e-4);
    assertLess(largestDifference(actual.logSumExp, expected.logSumExp), 1e-4);
  }
});

onEachBackend(
  "performer() takes hard inputs within its budget, and stays within the values",
  async (backend) => {
    await assertTakesHardInputs(performer, backend, 1e-5);
  },
);

Deno.test("performer() errs less with more features, and not at all where all logits are 0", async () => {
  const errorOf = async (size: number, budget: number) => {
    const problem = normalProblem({ queries: 200, keys: 200, size }), reference = new ReferenceBackend();
    const exact = await performer.attend(reference, problem, { bucketSize: 200, samples: 0, seed: 0 });
    const errors: number[] = [];
    for (let seed = 1; seed <= 9; seed++) {
      const own = { bucketSize: 0, samples: budget, seed };
      errors.push(relativeError((await performer.attend(reference, problem, own)).output, exact.output));
    }
    return errors.sort((a, b) => a - b)[4];
  };
  // A mean over 16 times as many features is off by a quarter.
  assertLess(await errorOf(0.7, 160), 0.4 * await errorOf(0.7, 10));
  assertLess(await errorOf(0, 2), 1e-6);
});

Deno.test("orthogonal directions are at right angles, d at a time, and pairs are opposite", () => {
  const width = 4, count = 12;
  const rows = (options: object) => {
    const drawn = drawDirections(1, 0, count, width, options);
    return Array.from({ length: count }, (_, row) => drawn.subarray(row * width, (row + 1) * width));
  };
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, at) => sum + x * b[at], 0);
  const orthogonal = rows({ orthogonal: true });
  for (let a = 0; a < count; a++) {
    for (let b = a + 1; b < count; b++) {
      assertEquals(
        Math.abs(dot(orthogonal[a], orthogonal[b])) < 1e-5,
        Math.floor(a / width) === Math.floor(b / width),
      );
    }
  }
  const paired = rows({ paired: true });
  for (let at = 0; at < count; at += 2) assertEquals(paired[at + 1], paired[at].map((x) => -x));
});

Deno.test("performer refuses a budget below one feature, and names the least", () => {
  const problem = normalProblem({ queries: 10, keys: 95 });
  assertMatch(
    performer.refusal!(problem, { bucketSize: 4, samples: 6, seed: 0 })!,
    /at least 11 evaluations.*10 queries and 95 keys: current value is 10/,
  );
  assertEquals(performer.refusal!(problem, { bucketSize: 5, samples: 6, seed: 0 }), undefined);
});
