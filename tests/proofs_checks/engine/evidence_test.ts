import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import type { Claim, Rule } from "../../../proofs_checks/engine/claim.ts";
import { logPValues, summarise } from "../../../proofs_checks/engine/evidence.ts";
import { decide, LEVEL, stoppingLevel } from "../../../proofs_checks/engine/verdicts.ts";
import { makeClaim } from "./make_claim.ts";

const claim = (rule: Rule, bound = 1): Claim => makeClaim({ rule, bound });
const times = (count: number, value: number) => new Array<number>(count).fill(value);

Deno.test("always: one run above the bound refutes for certain, NaN counts as above", () => {
  const always = claim({ kind: "always", allowed: 0.25 });
  assertEquals(logPValues(always, [...times(50, 0.5), 1.01], false), { holds: 0, refuted: -Infinity });
  assertEquals(logPValues(always, [0.5, NaN], false), { holds: 0, refuted: -Infinity });
  const { holds, refuted } = logPValues(always, times(40, 1), false);
  assertEquals(refuted, 0);
  // ½ · (1/0.75)^40, and the mixture's other half on top.
  assert(holds <= Math.log(2) + 40 * Math.log(0.75) && holds > 40 * Math.log(0.75));
});

Deno.test("probability: few runs above the bound are allowed, many refute", () => {
  const probability = claim({ kind: "probability", allowed: 0.25 });
  const few = logPValues(probability, [...times(90, 0), ...times(3, 2)], false);
  const many = logPValues(probability, [...times(30, 0), ...times(40, 2)], false);
  assertLess(few.holds, Math.log(3e-3));
  assertEquals(few.refuted, 0);
  assertLess(many.refuted, Math.log(1e-3));
  assertEquals(many.holds, 0);
});

Deno.test("slope: decided at the end only, by Student's t on either side", () => {
  const slope = claim({ kind: "slope", low: -0.6, high: -0.4 });
  const near = [-0.49, -0.51, -0.5, -0.52, -0.48, -0.5], steep = near.map((x) => x - 0.5);
  assertEquals(logPValues(slope, near, false), { holds: 0, refuted: 0 });
  assertLess(logPValues(slope, near, true).holds, Math.log(1e-3));
  assertLess(logPValues(slope, steep, true).refuted, Math.log(1e-3));
  assertEquals(logPValues(slope, [-0.5, NaN, -0.5], true), { holds: 0, refuted: -Infinity });
  // All alike, inside, outside, and at an end, which says nothing either way.
  assertEquals(logPValues(slope, times(6, -0.5), true), { holds: -Infinity, refuted: 0 });
  assertEquals(logPValues(slope, times(6, -0.7), true), { holds: 0, refuted: -Infinity });
  const atEnd = claim({ kind: "slope", low: -0.5, high: -0.25 });
  assertEquals(logPValues(atEnd, times(4, -0.5), true), { holds: Math.log(0.5), refuted: 0 });
  const oneSided = claim({ kind: "slope", low: -Infinity, high: -0.3 });
  assertLess(logPValues(oneSided, steep, true).holds, Math.log(1e-3));
});

Deno.test("summarise() gives the largest run, the quantile or the mean, as the rule says", () => {
  const runs = [0.1, 0.2, 0.3, 2];
  const always = summarise(claim({ kind: "always", allowed: 0.25 }), runs);
  assertEquals([always.measured, always.worst, always.violations, always.margin], [2, 2, 1, -1]);
  const probability = summarise(claim({ kind: "probability", allowed: 0.25 }), runs);
  assertGreater(probability.measured, 0.3);
  assertLess(probability.measured, 2);
  const mean = summarise(claim({ kind: "mean", tolerance: 1 }, 0), [0.5, -0.5, 0.25, 0.75]);
  assertEquals([mean.measured, mean.margin, mean.violations], [0.25, 0.75, null]);
  assertEquals(summarise(claim({ kind: "always", allowed: 0.25 }), [NaN]).measured, Infinity);
});

Deno.test("decide() takes a family of any size for what it is, without making room for it", () => {
  const logP = { holds: Math.log(1e-13), refuted: 0 };
  assertEquals(decide([logP], 1e11)[0].verdict, "holds");
  assertEquals(decide([logP], 1e12)[0].verdict, "inconclusive");
});

Deno.test("decide() shares the level over the whole family, run or not", () => {
  const size = 100, edge = stoppingLevel(size), log = (p: number) => ({ holds: Math.log(p), refuted: 0 });
  assertEquals(decide([log(0.99 * edge)], size)[0].verdict, "holds");
  assertEquals(decide([log(2 * edge)], size)[0].verdict, "inconclusive");
  assertEquals(decide([log(1.9 * edge)], 50)[0].verdict, "holds");
  // Holm: once 50 are rejected the rest share the level among 50.
  const many = [...Array.from({ length: 50 }, () => log(1e-9)), log(1.9 * edge)];
  assertEquals(decide(many, size)[50].verdict, "holds");
  const [refuted] = decide([{ holds: 0, refuted: -Infinity }], size);
  assertEquals([refuted.verdict, refuted.confidence], ["refuted", 1]);
  assert(decide([log(0.99 * edge)], size)[0].confidence >= 1 - LEVEL / 2);
});
