import {
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
} from "@std/assert";
import { choosePivots } from "../../estimators/methods/rivals/wildcat/pivoted_cholesky.ts";
import { approximateMethods } from "../../estimators/methods/methods.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { walkVariance } from "../../proofs_checks/claims/balanced_sums.ts";
import { claims } from "../../proofs_checks/claims/claims.ts";
import { greedyTails, pivotedCholeskyTrace } from "../../proofs_checks/claims/pivoted_trace.ts";

Deno.test("signed sums: the variance of a walk is that which its proof needs", () => {
  // With a step of length 1 along the direction, and thresholds of L: 1 − 2σ²/L + σ²/L² <= 0, as an equation.
  for (const limit of [1, 2, 5, 20]) {
    assertAlmostEquals(1 - 2 * walkVariance(limit) / limit + walkVariance(limit) / limit ** 2, 0, 1e-12);
  }
});

Deno.test("signed sums: a walk in one dimension keeps to its variance, where coins do not", () => {
  const steps = 400, limit = 4, walks = 2000, random = new RandomStream(1, Purpose.data);
  let squares = 0;
  for (let walk = 0; walk < walks; walk++) {
    let sum = 0;
    for (let step = 0; step < steps; step++) {
      sum += random.uniform() < 0.5 - sum / (2 * limit) ? 1 : -1;
    }
    squares += sum * sum / walks;
  }
  assertLess(squares, walkVariance(limit));
  assertLess(squares, steps / 100);
});

Deno.test("pivots: tails of equal keys end after the first, those of keys far apart at the last", () => {
  const equal = greedyTails(new Float64Array(12).fill(1), 2, 0.5, 6);
  assertAlmostEquals(equal.tails[0], 6, 1e-12);
  assertLess(equal.tails[1], 1e-14);
  // Orthogonal keys of squared length 9 · 2: entries e^18 and 1.
  const apart = greedyTails(Float64Array.of(6, 0, 0, 0, 6, 0, 0, 0, 6), 3, 0.5, 3);
  assertEquals(apart.logUnit, 18);
  [3, 2, 1, 0].forEach((left, r) => assertAlmostEquals(apart.tails[r], left, 1e-7));
});

Deno.test("pivots: what randomly pivoted Cholesky leaves in the mean is below its bound", () => {
  const count = 60, width = 3, factor = 0.2, random = new RandomStream(2, Purpose.data);
  const rows = Float64Array.from({ length: count * width }, () => random.normal());
  const squares = Float64Array.from(
    { length: count },
    (_, l) => rows.subarray(l * width, (l + 1) * width).reduce((sum, x) => sum + x * x, 0),
  );
  const pivots = 40, seeds = 40, { tails, logUnit } = greedyTails(rows, width, factor, pivots);
  let mean = 0;
  for (let seed = 0; seed < seeds; seed++) {
    const { factor: columns } = choosePivots(
      rows,
      width,
      squares,
      factor,
      pivots,
      new RandomStream(seed, Purpose.data),
    );
    for (let l = 0; l < count; l++) {
      let left = 1;
      for (let at = l; at < columns.length; at += count) left -= columns[at] ** 2;
      mean += Math.max(0, left) * Math.exp(factor * squares[l] - logUnit) / seeds;
    }
  }
  const bound = pivotedCholeskyTrace(tails, pivots);
  assertLess(mean, bound);
  // And the bound is one: far below what no pivot leaves.
  assertLess(bound, tails[0] / 10);
  assertGreaterOrEqual(pivotedCholeskyTrace(tails.subarray(0, 2), 1), tails[1]);
});

Deno.test("claims name the methods whose guarantees they are", () => {
  const promised = claims.flatMap(({ promisedBy }) => promisedBy ?? []);
  assertGreater(promised.length, 0);
  assertEquals(promised.filter((name) => !Object.hasOwn(approximateMethods, name)), []);
});
