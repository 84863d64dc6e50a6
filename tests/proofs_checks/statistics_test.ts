import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { gamma } from "npm:mathjs@15";
import {
  binomialUpperTail,
  clopperPearson,
  lowerProbabilityBound,
  upperProbabilityBound,
} from "../../proofs_checks/statistics/binomial.ts";
import { holm } from "../../proofs_checks/statistics/holm.ts";
import {
  incompleteBeta,
  logGamma,
  logIncompleteBeta,
} from "../../proofs_checks/statistics/incomplete_beta.ts";
import { sampleQuantile } from "../../proofs_checks/statistics/quantile.ts";
import { decideProbability } from "../../proofs_checks/statistics/sequential_decision.ts";
import { bootstrapSlope, leastSquaresSlope } from "../../proofs_checks/statistics/slope.ts";
import { studentTail } from "../../proofs_checks/statistics/student_tail.ts";

/**
 * Equality up to a few roundings where the expected value is computed as exp(x): rounding x costs |x| units of the result's
 * last place, and x itself is a sum of terms of order 10.
 */
const assertClose = (actual: number, expected: number, message = "") =>
  assertAlmostEquals(
    actual,
    expected,
    2 ** -50 * (10 + Math.abs(Math.log(expected))) * expected || 0,
    message,
  );

/**
 * P[Bin(n, p) = k] for k = 0 … n and p = numerator/2^16, in exact integer arithmetic until the last division.
 */
function exactBinomial(n: number, numerator: number): number[] {
  const one = 1n << 16n, p = BigInt(numerator), denominator = one ** BigInt(n);
  let ways = 1n;
  return Array.from({ length: n + 1 }, (_, k) => {
    if (k > 0) ways = ways * BigInt(n - k + 1) / BigInt(k);
    return ratio(ways * p ** BigInt(k) * (one - p) ** BigInt(n - k), denominator);
  });
}

/** A quotient of integers in [0, 1] to double precision. */
function ratio(numerator: bigint, denominator: bigint): number {
  const shift = BigInt(Math.max(0, denominator.toString(2).length - numerator.toString(2).length + 60));
  // In two steps: the power may lie beyond the range of a double where the quotient does not.
  return Number((numerator << shift) / denominator) * 2 ** -60 * 2 ** (60 - Number(shift));
}

/** Probabilities j/2^16 spread over (0, 1), dense at the ends. */
const grid = [1, 2, 7, 33, 150, 655, 2000, 3277, 6554, 12000, 21845, 32768];
const numerators = [...grid, ...grid.map((j) => 2 ** 16 - j)];

const sumFrom = (values: readonly number[], from: number, to: number) =>
  values.slice(Math.max(0, from), to).reduce((sum, value) => sum + value, 0);

Deno.test("logGamma() agrees with factorials and with mathjs", () => {
  let factorial = 1n;
  for (let n = 1; n <= 170; n++) {
    assertAlmostEquals(logGamma(n), Math.log(Number(factorial)), 4e-15 * (1 + logGamma(n + 10)));
    factorial *= BigInt(n);
  }
  for (const x of [0.01, 0.5, 1.5, 2.5, 9.99, 10.01, 30.3]) {
    // mathjs computes Γ of these to 13 digits.
    assertAlmostEquals(logGamma(x), Math.log(gamma(x) as number), 1e-12);
  }
});

Deno.test("binomialUpperTail() is the exact sum of rational probabilities", () => {
  for (const n of [1, 2, 10, 59, 300]) {
    for (const numerator of numerators) {
      const exact = exactBinomial(n, numerator);
      for (let k = 0; k <= n; k += Math.ceil(n / 20)) {
        const actual = binomialUpperTail(k, n, numerator / 2 ** 16);
        const expected = sumFrom(exact, k, n + 1);
        // Sums of numbers near the smallest that a double holds have few digits.
        if (expected < 1e-290) continue;
        assertClose(actual, expected, `${k} ${n} ${numerator}`);
      }
    }
  }
});

Deno.test("incompleteBeta() has its closed forms and its symmetry", () => {
  for (const x of [0, 1e-9, 0.1, 0.5, 0.77, 1]) {
    assertClose(incompleteBeta(x, 1, 1), x);
    assertClose(incompleteBeta(x, 7, 1), x ** 7);
    assertClose(incompleteBeta(x, 0.5, 0.5), 2 / Math.PI * Math.asin(Math.sqrt(x)));
    assertAlmostEquals(incompleteBeta(x, 3.5, 90) + incompleteBeta(1 - x, 90, 3.5), 1, 1e-14);
  }
  assertAlmostEquals(incompleteBeta(0.5, 1e6, 1e6), 0.5, 1e-9);
  assertAlmostEquals(logIncompleteBeta(0.5, 10_000, 1), 10_000 * Math.log(0.5), 10_000 * 2 ** -50);
  assertThrows(() => incompleteBeta(1.5, 1, 1), RangeError, "x must be from 0 to 1: current value is 1.5");
  assertThrows(
    () => incompleteBeta(0.5, 0, 1),
    RangeError,
    "a must be positive and finite: current value is 0",
  );
});

Deno.test("clopperPearson() gives published and closed-form limits", () => {
  for (const n of [1, 5, 20, 1000]) {
    const { lower, upper } = clopperPearson(0, n);
    assertEquals(lower, 0);
    assertAlmostEquals(upper, 1 - 0.025 ** (1 / n), 1e-15);
    assertClose(clopperPearson(n, n).lower, 0.025 ** (1 / n));
    assertEquals(clopperPearson(n, n).upper, 1);
  }
  // Values of R's binom.test(7, 21) and binom.test(1, 10, conf.level = 0.9).
  const third = clopperPearson(7, 21);
  assertEquals([third.lower.toFixed(4), third.upper.toFixed(4)], ["0.1459", "0.5697"]);
  const tenth = clopperPearson(1, 10, 0.9);
  assertEquals([tenth.lower.toFixed(4), tenth.upper.toFixed(4)], ["0.0051", "0.3942"]);
  assertEquals(clopperPearson(0, 0), { lower: 0, upper: 1 });
  assertThrows(
    () => clopperPearson(3, 2),
    RangeError,
    "events must be an integer from 0 to trials, 2: current value is 3",
  );
  assertThrows(
    () => clopperPearson(0, 2, 1),
    RangeError,
    "confidence must be between 0 and 1: current value is 1",
  );
});

for (const n of [1, 5, 20, 59, 200]) {
  Deno.test(`clopperPearson() covers with 95 % of the exact probability at n = ${n}, each side with 97.5 %`, () => {
    const intervals = Array.from({ length: n + 1 }, (_, k) => clopperPearson(k, n));
    for (const numerator of numerators) {
      const p = numerator / 2 ** 16, exact = exactBinomial(n, numerator);
      const missing = (misses: (k: number) => boolean) =>
        exact.reduce((sum, probability, k) => sum + (misses(k) ? probability : 0), 0);
      assert(missing((k) => intervals[k].lower > p) <= 0.025, `lower, p = ${p}`);
      assert(missing((k) => intervals[k].upper < p) <= 0.025, `upper, p = ${p}`);
    }
  });
}

Deno.test("probability bounds are tight: the tail at the bound is the level", () => {
  for (const [events, trials] of [[1, 3], [5, 80], [400, 1000]]) {
    const bound = lowerProbabilityBound(events, trials, 0.01);
    assertAlmostEquals(binomialUpperTail(events, trials, bound), 0.01, 1e-14);
    assertEquals(upperProbabilityBound(trials - events, trials, 0.01), 1 - bound);
  }
});

/**
 * Probabilities that decideProbability() ever says "holds" and ever says "refuted" in `trials` trials that stop at the
 * first verdict: by dynamic programming over the number of events, without simulation.
 */
function verdictProbabilities(
  p: number,
  bound: number,
  level: number,
  trials: number,
): Record<string, number> {
  const reached: Record<string, number> = { holds: 0, refuted: 0, inconclusive: 0 };
  let states = new Map([[0, 1]]);
  for (let t = 1; t <= trials; t++) {
    const next = new Map<number, number>();
    for (const [events, probability] of states) {
      next.set(events, (next.get(events) ?? 0) + probability * (1 - p));
      next.set(events + 1, (next.get(events + 1) ?? 0) + probability * p);
    }
    for (const [events, probability] of next) {
      const { verdict } = cachedDecision(events, t, bound, level);
      if (verdict === "inconclusive") continue;
      reached[verdict] += probability;
      next.delete(events);
    }
    states = next;
  }
  for (const probability of states.values()) reached.inconclusive += probability;
  return reached;
}

const decisions = new Map<string, ReturnType<typeof decideProbability>>();
function cachedDecision(events: number, trials: number, bound: number, level: number) {
  const id = `${events} ${trials} ${bound} ${level}`;
  if (!decisions.has(id)) decisions.set(id, decideProbability(events, trials, { bound, level }));
  return decisions.get(id)!;
}

for (const [bound, level] of [[0.05, 0.05], [0.01, 0.01], [0.2, 0.1], [0.5, 0.001]]) {
  Deno.test(`decideProbability() errs with probability at most ${level} at bound ${bound}, however often it looks`, () => {
    for (const factor of [0, 0.1, 0.5, 0.9, 0.99, 1, 1.01, 1.1, 1.5, 2]) {
      const p = factor * bound;
      const { holds, refuted, inconclusive } = verdictProbabilities(p, bound, level, 500);
      assertAlmostEquals(holds + refuted + inconclusive, 1, 1e-12);
      if (p <= bound) assert(refuted <= level, `refuted with probability ${refuted} at p = ${p}`);
      if (p >= bound) assert(holds <= level, `holds with probability ${holds} at p = ${p}`);
    }
  });
}

Deno.test("decideProbability() reaches the right verdict where the probability is far from the bound", () => {
  const [bound, level] = [0.05, 0.05];
  assert(verdictProbabilities(0, bound, level, 72).holds === 1);
  assert(verdictProbabilities(0.005, bound, level, 500).holds > 0.99);
  assert(verdictProbabilities(0.2, bound, level, 200).refuted > 0.99);
  assert(verdictProbabilities(bound, bound, level, 500).inconclusive > 1 - 2 * level);
});

Deno.test("decideProbability() needs ln(2/level) / −ln(1 − bound) trials without an event, or fewer", () => {
  for (const [bound, level] of [[0.05, 0.05], [0.01, 0.001], [0.3, 0.01]]) {
    const enough = Math.ceil(Math.log(2 / level) / -Math.log1p(-bound));
    assertEquals(decideProbability(0, enough, { bound, level }).verdict, "holds");
    // The point mass alone is half of the mixture: a factor 2, and no more, can be saved.
    const least = Math.ceil(Math.log(1 / level) / -Math.log1p(-bound)) - 1;
    assertEquals(decideProbability(0, least, { bound, level }).verdict, "inconclusive");
  }
});

Deno.test("decideProbability() stays finite at extreme counts", () => {
  for (const [events, trials] of [[0, 0], [0, 1e6], [1e6, 1e6], [1, 1e6], [5e5, 1e6]]) {
    const { logEvidenceFor, logEvidenceAgainst } = decideProbability(events, trials, { bound: 0.01 });
    assert(Number.isFinite(logEvidenceFor) && Number.isFinite(logEvidenceAgainst), `${events} of ${trials}`);
  }
  const { logEvidenceFor, logEvidenceAgainst, verdict } = decideProbability(0, 0, { bound: 0.01 });
  assertAlmostEquals(logEvidenceFor, 0, 1e-14);
  assertAlmostEquals(logEvidenceAgainst, 0, 1e-14);
  assertEquals(verdict, "inconclusive");
  assertThrows(
    () => decideProbability(0, 1, { bound: 0 }),
    RangeError,
    "bound must be between 0 and 1: current value is 0",
  );
});

Deno.test("holm() steps down as in Holm's paper", () => {
  assertEquals(holm([0.01, 0.04, 0.03, 0.005]), {
    rejected: [true, false, false, true],
    adjusted: [0.03, 0.06, 0.06, 0.02],
  });
  assertEquals(holm([]), { rejected: [], adjusted: [] });
  assertEquals(holm([0.9, 0.8]).adjusted, [1, 1]);
  assertThrows(() => holm([0.5, -1]), RangeError, "p-values must be from 0 to 1: current value is -1");
  assertThrows(() => holm([NaN]), RangeError, "p-values must be from 0 to 1: current value is NaN");
});

Deno.test("holm() keeps the family-wise error at its level, exactly, for independent uniform p-values", () => {
  // All of m hypotheses true: some is rejected if and only if the smallest p-value is, with probability 1 − (1 − level/m)^m.
  for (const m of [1, 2, 10]) {
    const level = 0.05, threshold = level / m;
    const others = new Array<number>(m - 1).fill(1);
    assertEquals(holm([threshold, ...others], level).rejected.some(Boolean), true);
    assertEquals(holm([threshold * (1 + 1e-12), ...others], level).rejected.some(Boolean), false);
    assert(1 - (1 - threshold) ** m <= level + 1e-15);
  }
});

Deno.test("sampleQuantile() interpolates between order statistics", () => {
  assertEquals(sampleQuantile([3, 1, 2], 0.5), 2);
  assertEquals(sampleQuantile([4, 1, 2, 3], 0.5), 2.5);
  assertEquals(sampleQuantile([10, 0], 0.25), 2.5);
  assertEquals(sampleQuantile([7], 0.99), 7);
  assertThrows(
    () => sampleQuantile([], 0.5),
    RangeError,
    "there must be at least one value: current value is 0",
  );
  assertThrows(
    () => sampleQuantile([1, NaN], 0.5),
    RangeError,
    "values must be numbers: current value is NaN",
  );
  assertThrows(
    () => sampleQuantile([1], 1),
    RangeError,
    "probability must be between 0 and 1: current value is 1",
  );
});

Deno.test("studentTail() has its closed forms and published values", () => {
  for (const t of [-30, -2, -0.1, 0.3, 1, 4, 70]) {
    // One degree of freedom is Cauchy's distribution, and two have a closed form; tails below a half are right to 14 digits.
    const cauchy = 0.5 - Math.atan(t) / Math.PI, two = 0.5 - t / (2 * Math.sqrt(2 + t * t));
    assertAlmostEquals(studentTail(t, 1), cauchy, 1e-14);
    assertAlmostEquals(studentTail(t, 2), two, 1e-14);
    assertAlmostEquals(studentTail(t, 3) + studentTail(-t, 3), 1, 1e-14);
  }
  const published = [[3.1824, 3], [2.2281, 10], [2.0423, 30], [1.96, 1e6]];
  for (const [t, degrees] of published) assertAlmostEquals(studentTail(t, degrees), 0.025, 5e-6);
  assertEquals([studentTail(0, 5), studentTail(Infinity, 5)], [0.5, 0]);
});

Deno.test("leastSquaresSlope() is the slope of a line, and of points beside it", () => {
  const x = [128, 256, 512, 1024].map(Math.log);
  for (const slope of [-0.5, 0, 1, 2]) {
    assertAlmostEquals(leastSquaresSlope(x, x.map((value) => slope * value - 3)), slope, 1e-14);
  }
  assertAlmostEquals(leastSquaresSlope([0, 1, 2, 3], [0, 1, 1, 2]), 0.6, 1e-15);
  assertEquals(leastSquaresSlope([0, 1, 2], [0, NaN, 2]), NaN);
});

Deno.test("bootstrapSlope() of repetitions that agree is the slope with no width", () => {
  const measured = [10, 100, 1000].map((x) => ({ x, y: [2 * x ** 1.5, 2 * x ** 1.5] }));
  const { slope, lower, upper } = bootstrapSlope(measured, { seed: 3 });
  for (const value of [slope, lower, upper]) assertAlmostEquals(value, 1.5, 1e-14);
});

Deno.test("bootstrapSlope() has the quantiles of the exact bootstrap distribution", () => {
  // Two points with repetitions e^0, e^1, e^2 at x = 1 and e^3 three times at x = e. The median of three draws is the
  // smallest, middle or largest value with probability 7/27, 13/27, 7/27: the slopes 3, 2 and 1.
  const measured = [{ x: 1, y: [0, 1, 2].map(Math.exp) }, { x: Math.E, y: [3, 3, 3].map(Math.exp) }];
  for (const seed of [1, 2, 3]) {
    const at = (confidence: number) => bootstrapSlope(measured, { seed, confidence });
    assertAlmostEquals(at(0.95).slope, 2, 1e-14);
    // 7/27 is more than 12 standard errors of 2000 resamples away from the levels below, 0.1 and 0.4.
    assertAlmostEquals(at(0.8).lower, 1, 1e-14);
    assertAlmostEquals(at(0.8).upper, 3, 1e-14);
    assertAlmostEquals(at(0.2).lower, 2, 1e-14);
    assertAlmostEquals(at(0.2).upper, 2, 1e-14);
  }
});

Deno.test("bootstrapSlope() is the same for the same seed only", () => {
  const measured = [1, 2, 4, 8].map((x) => ({
    x,
    y: [1, 1.3, 0.9, 1.1, 0.7].map((noise) => x * noise ** x),
  }));
  const run = (seed: number) => bootstrapSlope(measured, { seed, resamples: 200 });
  assertEquals(run(1), run(1));
  assert(run(1).lower !== run(2).lower || run(1).upper !== run(2).upper);
});

Deno.test("slopes refuse what has none", () => {
  assertThrows(
    () => leastSquaresSlope([1, 2], [1]),
    RangeError,
    "there must be 2 values of y: current value is 1",
  );
  assertThrows(
    () => leastSquaresSlope([2, 2, 2], [1, 1, 2]),
    RangeError,
    "there must be two different values of x",
  );
  assertThrows(
    () => bootstrapSlope([{ x: 1, y: [1, 0] }, { x: 2, y: [1, 2] }], { seed: 1 }),
    RangeError,
    "y must be positive and finite: current value is 0",
  );
  assertThrows(
    () => bootstrapSlope([{ x: 1, y: [1] }, { x: 2, y: [1, 2] }], { seed: 1 }),
    RangeError,
    "x = 1 must have at least two values of y: current value is 1",
  );
});
