import { assert, assertEquals, assertGreater } from "@std/assert";
import { RandomStream } from "../../../kernels/random.ts";
import { Evolution, meanScore } from "../../../proofs_checks/search/evolution.ts";
import { searchedInputs } from "../../../proofs_checks/search/searched_inputs.ts";

/** Noisy heights of a hill in 6 dimensions, best of all at 0.8. */
function climb(seed: number, budget: number): { height: number; mean: number; evaluations: number } {
  const random = new RandomStream(seed, 999);
  const height = (x: readonly number[]) => -x.reduce((sum, t) => sum + (t - 0.8) ** 2, 0);
  const evolution = new Evolution<readonly number[]>(
    {
      random: (stream) => Array.from({ length: 6 }, () => stream.uniform()),
      child: (a, b, size, stream) =>
        a.map((x, t) => (stream.integer(2) ? x : b[t]) + size * stream.normal() / 2),
    },
    budget,
    new RandomStream(seed, 998),
  );
  for (let at = 0; at < budget; at++) evolution.tell(height(evolution.ask()) + 0.05 * random.normal());
  const best = evolution.best!;
  return { height: height(best.genes), mean: meanScore(best), evaluations: best.scores.length };
}

Deno.test("Evolution climbs a noisy hill better than chance, and its result is a mean of many", () => {
  for (const seed of [1, 2, 3]) {
    const { height, mean, evaluations } = climb(seed, 200);
    // The best of 200 random points is at about −0.25; their mean at −1.04.
    assertGreater(height, -0.15);
    assert(Math.abs(mean - height) < 0.06, `${mean} of ${height}`);
    assertGreater(evaluations, 3);
    assertEquals(climb(seed, 200), climb(seed, 200));
  }
});

Deno.test("Evolution takes no number for the worst that can happen", () => {
  const evolution = new Evolution({ random: () => 1, child: () => 2 }, 10, new RandomStream(1, 999));
  evolution.ask();
  evolution.tell(NaN);
  assertEquals(evolution.best!.scores, [Infinity]);
});

Deno.test("searched inputs are finite at every shape, and the same for the same seed and scores", async () => {
  const shapes = [{ n: 1 }, { n: 7, queries: 3 }, { n: 33, features: 5, valueFeatures: 2 }];
  const draw = async () => {
    const stream = searchedInputs.open(5, 40), found: number[] = [];
    for (let at = 0; at < 40; at++) {
      const { query, key, value } = await stream.next({ ...shapes[at % 3], seed: at });
      for (const { data } of [query, key, value]) {
        assert(data.every(Number.isFinite));
        found.push(data[0]);
      }
      stream.observe!(at % 7);
    }
    return { found, words: stream.describe!() };
  };
  assertEquals(await draw(), await draw());
});
