import { assertAlmostEquals, assertEquals, assertLessOrEqual } from "@std/assert";
import {
  groupFailure,
  majorityProbability,
  MedianOfMeans,
  planMedianOfMeans,
} from "../../../estimators/kde/median_of_means.ts";

Deno.test("majorityProbability() is the binomial tail", () => {
  assertAlmostEquals(majorityProbability(1, 0.3), 0.3, 1e-14);
  assertAlmostEquals(majorityProbability(3, 0.1), 3 * 0.01 - 2 * 0.001, 1e-14);
  assertAlmostEquals(majorityProbability(101, 0.5), 0.5, 1e-12);
  assertEquals(majorityProbability(5, 0), 0);
});

Deno.test("planMedianOfMeans() keeps to delta and is never dearer than one mean", () => {
  for (const delta of [0.3, 0.1, 0.01, 1e-6]) {
    const { groups, perGroup } = planMedianOfMeans(4, 0.1, delta);
    assertLessOrEqual(majorityProbability(groups, 4 / (perGroup * 0.01)), delta * (1 + 1e-9));
    assertLessOrEqual(groups * perGroup, Math.ceil(4 / (delta * 0.01)));
    assertAlmostEquals(majorityProbability(groups, groupFailure(groups, delta)), delta, 1e-9);
  }
});

Deno.test("MedianOfMeans takes the median of the groups' means", () => {
  const result = new MedianOfMeans(2, { groups: 3, perGroup: 2 });
  // Draws 0…5 go to groups 0, 1, 2, 0, 1, 2; draw 4 of query 0 is 0.
  [1, 2, 30, 3, 0, 40].forEach((value, draw) => value > 0 && result.add(0, draw, Math.log(value)));
  const [first, second] = result.logMedians();
  assertAlmostEquals(Math.exp(first), 2, 1e-12);
  assertEquals(second, -Infinity);
});
