import { assert, assertAlmostEquals, assertEquals, assertLessOrEqual } from "@std/assert";
import {
  bernoulliDivergence,
  lowerMeanBound,
  upperMeanBound,
} from "../../../estimators/certified/confidence.ts";

/** Probability of each number of successes among `count`, in logarithms so that nothing underflows. */
function binomial(count: number, q: number): number[] {
  const logFactorial = [0];
  for (let k = 1; k <= count; k++) logFactorial.push(logFactorial[k - 1] + Math.log(k));
  return logFactorial.map((log, k) =>
    Math.exp(
      logFactorial[count] - log - logFactorial[count - k] + k * Math.log(q) + (count - k) * Math.log1p(-q),
    )
  );
}

Deno.test("upperMeanBound() and lowerMeanBound() of all-equal samples have a closed form", () => {
  for (const [count, delta] of [[10, 0.05], [500, 0.01]]) {
    assertAlmostEquals(upperMeanBound(0, count, delta), 1 - delta ** (1 / count), 1e-12);
    assertAlmostEquals(lowerMeanBound(1, count, delta), delta ** (1 / count), 1e-12);
    assertEquals(lowerMeanBound(0, count, delta), 0);
    assertEquals(upperMeanBound(1, count, delta), 1);
  }
});

Deno.test("mean bounds lie on the right side and solve their equation", () => {
  for (const mean of [0.001, 0.3, 0.9]) {
    const upper = upperMeanBound(mean, 100, 0.05), lower = lowerMeanBound(mean, 100, 0.05);
    assert(lower < mean && mean < upper);
    assertAlmostEquals(bernoulliDivergence(mean, upper), Math.log(20) / 100, 1e-10);
    assertAlmostEquals(bernoulliDivergence(mean, lower), Math.log(20) / 100, 1e-10);
  }
});

Deno.test("mean bounds fail with probability at most delta, by exact binomial sums", () => {
  for (const count of [5, 40, 300]) {
    for (const delta of [0.2, 0.05, 0.001]) {
      for (const q of [0.001, 0.01, 0.1, 0.37, 0.5, 0.9, 0.999]) {
        let below = 0, above = 0;
        binomial(count, q).forEach((probability, successes) => {
          if (upperMeanBound(successes / count, count, delta) < q) below += probability;
          if (lowerMeanBound(successes / count, count, delta) > q) above += probability;
        });
        assertLessOrEqual(below, delta, `upper bound, count ${count}, mean ${q}`);
        assertLessOrEqual(above, delta, `lower bound, count ${count}, mean ${q}`);
      }
    }
  }
});

Deno.test("upperMeanBound() errs on the outer side where counts are so large that divergences cancel", () => {
  for (const [mean, count] of [[0.37, 1e12], [0.1, 1e13], [0.01, 1e14]]) {
    // kl(p, p + x) <= x²/(2p(1 − p)) for p + x <= 1/2, so that x is at least this.
    const least = Math.sqrt(2 * mean * (1 - mean) * Math.log(20) / count);
    assertLessOrEqual(least, upperMeanBound(mean, count, 0.05) - mean);
  }
});
