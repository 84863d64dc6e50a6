import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { exactAttention } from "../../../../estimators/core/exact.ts";
import { makeProblem, type Problem } from "../../../../estimators/core/problem.ts";
import { squaredNorms } from "../../../../estimators/methods/rivals/shared/row_norms.ts";
import { kernelFactor, lambertOfExp } from "../../../../estimators/methods/rivals/wildcat/temperature.ts";
import { weighPivots } from "../../../../estimators/methods/rivals/wildcat/weighted_pivots.ts";
import { attendPivots, wildcat } from "../../../../estimators/methods/rivals/wildcat/wildcat.ts";
import { Purpose, RandomStream } from "../../../../kernels/random.ts";
import { ReferenceBackend } from "../../../../kernels/reference/backend.ts";
import { tensor } from "../../../../kernels/tensor.ts";
import { onEachBackend } from "../../../backends.ts";
import { normals } from "../../../data.ts";
import { largestDifference, largestMagnitude } from "../../../precision.ts";
import { assertTakesHardInputs, familyProblem } from "./hard_inputs.ts";

const rules = ["constant", "lambert", "lambert-of-keys"] as const;
const anyBudget = { bucketSize: 1, samples: 0, seed: 4 };

function problemOf({ queries = 90, keys = 120, d = 5, dV = 3, size = 1 }): Problem {
  const rows = (seed: number, count: number, width: number, factor = 1) =>
    tensor(normals(seed, count * width, factor), [1, count, width]);
  return makeProblem(rows(1, queries, d), rows(2, keys, d, size), rows(3, keys, dV));
}

onEachBackend("WildCat is exact when every key is a pivot, in any bins and by any rule", async (backend) => {
  const problem = problemOf({}), exact = await exactAttention(backend, problem);
  backend.reset();
  for (const rule of rules) {
    for (const bins of [1, 7]) {
      const compression = { pivots: problem.keys, bins, rule };
      const { output, logSumExp } = await attendPivots(backend, problem, anyBudget, compression);
      backend.reset();
      assertLess(largestDifference(output, exact.output), 1e-5, rule);
      assertLess(largestDifference(logSumExp, exact.logSumExp), 1e-5, rule);
    }
  }
});

Deno.test("pivots with their weights give the sums of all keys at the pivots themselves", () => {
  const count = 60, width = 4, valueFeatures = 2, factor = 0.3;
  const rows = Float64Array.from(normals(1, count * width)), values = normals(2, count * valueFeatures);
  const product = (a: number, b: number) => {
    let sum = 0;
    for (let c = 0; c < width; c++) sum += rows[a * width + c] * rows[b * width + c];
    return Math.exp(factor * sum);
  };
  for (const most of [1, 9, 40]) {
    const random = new RandomStream(most, Purpose.coreset);
    const found = weighPivots(rows, values, squaredNorms(rows, width), factor, most, random);
    assertEquals(new Set(found.places).size, most);
    for (const place of found.places) {
      let mass = 0, own = 0, value = 0, ownValue = 0;
      for (let l = 0; l < count; l++) {
        mass += product(place, l);
        value += product(place, l) * values[l * valueFeatures + 1];
      }
      found.places.forEach((pivot, s) => {
        const weight = product(place, pivot) * Math.exp(found.logWeights[s]);
        own += weight * found.mass[s];
        ownValue += weight * found.value[s * valueFeatures + 1];
      });
      assertLess(Math.abs(own - mass), 1e-9 * mass);
      assertLess(Math.abs(ownValue - value), 1e-9 * mass);
    }
  }
});

Deno.test("no more pivots are chosen than there are different keys, and large norms do not overflow", () => {
  const width = 3, distinct = 7, count = 70;
  for (const size of [1, 40, 1e9]) {
    const few = normals(1, distinct * width, size);
    const rows = Float64Array.from({ length: count * width }, (_, at) => few[at % few.length]);
    const values = normals(2, count), random = new RandomStream(1, Purpose.coreset);
    const found = weighPivots(rows, values, squaredNorms(rows, width), 1, 30, random);
    assertLessOrEqual(found.places.length, distinct);
    // Each row is one of the pivots, where they differ by more than rounding: it counts as often as it comes.
    if (size > 1) {
      assertEquals(found.places.length, distinct);
      found.mass.forEach((mass, s) => assertLess(Math.abs(mass * Math.exp(found.logWeights[s]) - 10), 1e-6));
    }
    for (const x of [...found.logWeights, ...found.mass, ...found.value]) assert(Number.isFinite(x));
  }
});

Deno.test("WildCat's error falls fast with the pivots where logits are small", async () => {
  const backend = new ReferenceBackend(), problem = problemOf({ keys: 400, d: 3, size: 0.5 });
  const exact = await exactAttention(backend, problem);
  const errors: number[] = [];
  for (const pivots of [4, 12, 36]) {
    const { output } = await attendPivots(backend, problem, anyBudget, { pivots, bins: 1, rule: "constant" });
    errors.push(largestDifference(output, exact.output));
  }
  assertLess(errors[1], 0.3 * errors[0]);
  assertLess(errors[2], 0.2 * errors[1]);
});

Deno.test("temperature rules solve what they say, and have none where all logits are 0", () => {
  for (const x of [-1.2, 0, 0.9, 1.1, 5, 200]) {
    const w = lambertOfExp(x);
    assertLess(Math.abs(w + Math.log(w) - x), 1e-12 * Math.max(1, x));
  }
  const sizes = { keys: 1000, query: 3, key: 5, scale: 0.25 };
  assertLess(Math.abs(kernelFactor("constant", sizes) - 0.25 * 3 / 5 / 3.94582), 1e-15);
  assertEquals(
    kernelFactor("lambert-of-keys", sizes),
    kernelFactor("lambert", { ...sizes, query: sizes.key }),
  );
  for (const rule of rules) {
    for (const none of [{ query: 0 }, { key: 0 }, { scale: 0 }]) {
      assertEquals(kernelFactor(rule, { ...sizes, ...none }), 0);
    }
  }
});

onEachBackend("WildCat gives the reference's result", async (backend) => {
  for (const [n, queries] of [[700, 700], [513, 900], [900, 120]]) {
    const problem = familyProblem("clustered", { n, queries }),
      budget = { bucketSize: 24, samples: 40, seed: 3 };
    const actual = await wildcat.attend(backend, problem, budget);
    backend.reset();
    const expected = await wildcat.attend(new ReferenceBackend(), problem, budget);
    assertEquals(actual.keyEvaluations, expected.keyEvaluations);
    assertLess(largestDifference(actual.output, expected.output), 1e-3 * largestMagnitude(problem.value));
    assertLess(largestDifference(actual.logSumExp, expected.logSumExp), 1e-2);
  }
});

onEachBackend(
  "WildCat takes hard inputs, and keeps to the range of the values",
  (backend) => assertTakesHardInputs(wildcat, backend, 0),
);

Deno.test("WildCat refuses a budget that has no pivot, and names the least", async () => {
  const problem = problemOf({ queries: 10, keys: 95 }), budget = { bucketSize: 4, samples: 6, seed: 0 };
  assertEquals(
    wildcat.refusal?.(problem, budget),
    "wildcat takes a budget of at least 11 for 10 queries and 95 keys: current value is 10",
  );
  const enough = { ...budget, samples: 7 };
  assertEquals(wildcat.refusal?.(problem, enough), undefined);
  const { keyEvaluations } = await wildcat.attend(new ReferenceBackend(), problem, enough);
  assertLessOrEqual(keyEvaluations, 110);
});
