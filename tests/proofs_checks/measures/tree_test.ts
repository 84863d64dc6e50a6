import { assert, assertAlmostEquals, assertEquals, assertGreater, assertLess } from "@std/assert";
import { makeProblem } from "../../../estimators/core/problem.ts";
import { exactAttention } from "../../../estimators/core/exact.ts";
import { attendInOrder, tiltedTree } from "../../../estimators/methods/tilted_tree/tilted_tree.ts";
import type { CausalPlan } from "../../../estimators/methods/tilted_tree/causal_plan.ts";
import { ReferenceBackend } from "../../../kernels/reference/backend.ts";
import { tensor } from "../../../kernels/tensor.ts";
import { boundsOfAnswer, type RowPart } from "../../../proofs_checks/claims/tree_row_bound.ts";
import { inputFamily } from "../../../proofs_checks/inputs/families.ts";
import { Oracle } from "../../../proofs_checks/measures/oracle.ts";
import { plainAttention } from "../../../proofs_checks/measures/plain_attention.ts";
import { watchLists } from "../../../proofs_checks/measures/watched_lists.ts";
import { onEachBackend } from "../../backends.ts";
import { normals } from "../../data.ts";
import { largestDifference } from "../../precision.ts";

Deno.test("plainAttention() is what the oracle has, and the reference in causal order with a mask and shared keys", async () => {
  const input = inputFamily("clustered").generate({ n: 40, queries: 23, seed: 4, features: 9 });
  const { query, key, value, scale } = input, oracle = new Oracle(input);
  const whole = plainAttention(makeProblem(query, key, value, { scale }));
  assertLess(largestDifference(whole.output, oracle.output), 1e-12);
  assertLess(largestDifference(whole.logSumExp, oracle.logRowSums), 1e-12);
  const rows = (seed: number, shape: number[]) => tensor(normals(seed, shape.reduce((a, b) => a * b)), shape);
  const keyMask = Array.from({ length: 2 * 21 }, (_, at) => at % 21 === 0 || at % 4 > 0);
  const problem = makeProblem(rows(1, [4, 17, 6]), rows(2, [2, 21, 6]), rows(3, [2, 21, 5]), {
    causal: true,
    keyMask,
  });
  const { output, logSumExp } = await exactAttention(new ReferenceBackend(), problem);
  assertLess(largestDifference(plainAttention(problem).output, output), 1e-6);
  assertLess(largestDifference(plainAttention(problem).logSumExp, logSumExp), 1e-5);
});

onEachBackend(
  "watchLists() changes nothing, and sees each query at one list and each key in one entry",
  async (backend) => {
    const { query, key, value, scale } = inputFamily("gaussian").generate({ n: 320, seed: 2, features: 24 });
    const problem = makeProblem(query, key, value, { scale });
    const budget = { bucketSize: 60, samples: 90, seed: 1 };
    const plain = await tiltedTree.attend(backend, problem, budget);
    const watched = watchLists(backend), seen = await tiltedTree.attend(watched.backend, problem, budget);
    assertEquals(seen.output, plain.output);
    assertGreater(watched.lists.length, 1);
    const numbers = Array.from({ length: 320 }, (_, at) => at);
    const queries = watched.lists.flatMap((list) => Array.from(list.queries)).sort((a, b) => a - b);
    assertEquals(queries, numbers);
    for (const { whole, entries, end, centre, logMass } of watched.lists) {
      assert(whole && entries.length > 1 && entries.length < 320);
      assertEquals(end, 320);
      assertEquals(entries.flatMap(({ keys }) => Array.from(keys)).sort((a, b) => a - b), numbers);
      const weight = entries.reduce((sum, { weights }) => sum + weights.reduce((a, b) => a + b), 0);
      assertAlmostEquals(weight, 1, 1e-5);
      // Without their variances the masses of all entries are that of all keys.
      const mass = entries.reduce((sum, { key, logWeight, halfVariance }) => {
        const product = key.reduce((sum, x, t) => sum + x * centre[t], 0);
        return sum + Math.exp(logWeight + product - halfVariance - logMass);
      }, 0);
      assertAlmostEquals(mass, 1, 1e-4);
      assert(entries.some(({ halfVariance }) => halfVariance > 1e-4));
    }
    backend.reset();
  },
);

onEachBackend(
  "watchLists() sees what comes before each block in causal order, and nothing before the first",
  async (backend) => {
    const { query, key, value, scale } = inputFamily("clustered").generate({ n: 48, seed: 3, features: 8 });
    const problem = makeProblem(query, key, value, { scale, causal: true }), watched = watchLists(backend);
    const plan: CausalPlan = {
      directions: 6,
      clusters: 1,
      sampled: 12,
      entries: 10,
      heldOut: 1,
      preparation: 0,
      ofHeldOut: 48,
      cut: { blocks: 4, length: 12 },
    };
    await attendInOrder(watched.backend, problem, plan, 1, {});
    backend.reset();
    assertEquals(watched.lists.map(({ end }) => end), [0, 12, 24, 36]);
    watched.lists.forEach(({ queries, logMass, end, entries }, block) => {
      assertEquals(Array.from(queries), Array.from({ length: 12 }, (_, at) => 12 * block + at));
      assertEquals(logMass === -Infinity, block === 0);
      for (const { keys, weights } of entries) {
        keys.forEach((key, at) => assertEquals(weights[at] > 0, key < end, `${key} in ${block}`));
      }
    });
  },
);

/** Parts of a row without roundings: their masses as taken, and how far those may be off. */
function part(mass: number, value: number, least: number, most: number, moved = 0): RowPart {
  return { logMass: Math.log(mass), value: [value], moved: [moved], least, most };
}

Deno.test("boundsOfAnswer() knows what is exact, and holds what the true masses within their bounds give, nearly attained", () => {
  const exact = boundsOfAnswer([part(1, 4, 0, 0), part(3, 8, 0, 0)], [7], Math.log(4));
  assertAlmostEquals(exact.logLeast, 0, 1e-15);
  assertAlmostEquals(exact.logMost, 0, 1e-15);
  assertAlmostEquals(exact.output[0], 0, 1e-15);

  const parts = [part(1, 4, -0.3, 0.1), part(3, 8, 0, 0.2, 0.5), part(2, -1, -0.1, 0)];
  const taken = (1 * 4 + 3 * 8 + 2 * -1) / 6, bounds = boundsOfAnswer(parts, [taken], Math.log(6));
  let farthest = 0, [least, most] = [Infinity, -Infinity];
  for (let corner = 0; corner < 16; corner++) {
    const masses = parts.map((own, at) => Math.exp(own.logMass + (corner >> at & 1 ? own.most : own.least)));
    const total = masses.reduce((a, b) => a + b), moved = corner & 8 ? 0.5 : -0.5;
    const output = masses.reduce((sum, mass, at) => {
      const { value } = parts[at];
      return sum + mass / total * (value[0] + (at === 1 ? moved : 0));
    }, 0);
    farthest = Math.max(farthest, Math.abs(output - taken));
    [least, most] = [Math.min(least, Math.log(total / 6)), Math.max(most, Math.log(total / 6))];
  }
  assertAlmostEquals(bounds.logLeast, least, 1e-12);
  assertAlmostEquals(bounds.logMost, most, 1e-12);
  assertLess(farthest, bounds.output[0]);
  assertLess(bounds.output[0], 4 * farthest);
});

Deno.test("boundsOfAnswer() counts keys that were left out by the most that they can weigh", () => {
  const taken = [part(2, 1, 0, 0)], out = part(1, 7, -Infinity, 0);
  const { logLeast, logMost, output } = boundsOfAnswer([...taken, out], [1], Math.log(2));
  assertAlmostEquals(logLeast, 0, 1e-15);
  assertAlmostEquals(logMost, Math.log(1.5), 1e-15);
  // The answer would be 3: (2 · 1 + 1 · 7) / 3.
  assert(output[0] >= 2 && output[0] <= 3, String(output[0]));
});
