import { assertAlmostEquals, assertEquals, assertGreater, assertLess } from "@std/assert";
import { detectable } from "../../proofs_checks/engine/detectable.ts";
import { logPValues } from "../../proofs_checks/engine/evidence.ts";
import type { Claim, Rule } from "../../proofs_checks/engine/claim.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { detectableProbability, refutationProbability } from "../../proofs_checks/statistics/power.ts";
import { decideProbability } from "../../proofs_checks/statistics/sequential_decision.ts";

const LEVEL = 1e-4;

Deno.test("power: as often as simulated trials are refuted", () => {
  for (const [bound, most, probability] of [[0.25, 60, 0.5], [0.05, 100, 0.2], [0.25, 30, 0.9]]) {
    const random = new RandomStream(3, Purpose.data), repeats = 2000;
    let refuted = 0;
    for (let repeat = 0; repeat < repeats; repeat++) {
      let events = 0, verdict: string = "inconclusive";
      for (let trials = 1; trials <= most && verdict === "inconclusive"; trials++) {
        if (random.uniform() < probability) events++;
        verdict = decideProbability(events, trials, { bound, level: LEVEL }).verdict;
      }
      if (verdict === "refuted") refuted++;
    }
    const found = refutationProbability(probability, { bound, most, level: LEVEL });
    // Five standard deviations of the simulation.
    assertAlmostEquals(refuted / repeats, found, 5 * Math.sqrt(0.25 / repeats));
  }
});

Deno.test("power: what is detectable is detected so often, and what is less is not; nothing where runs are too few", () => {
  const test = { bound: 0.25, most: 60, level: LEVEL }, found = detectableProbability(test)!;
  assertGreater(refutationProbability(found, test), 0.95 - 1e-9);
  assertLess(refutationProbability(found - 1e-3, test), 0.95);
  assertEquals(detectableProbability({ bound: 0.25, most: 3, level: LEVEL }), undefined);
});

/** A claim with nothing but a rule. */
const claimOf = (rule: Rule, bound: number) => ({ rule, bound }) as Claim;

Deno.test("detectable: runs so many times as large are refuted, a tenth less are not", () => {
  const random = new RandomStream(4, Purpose.data), most = 60, bound = 0.5;
  const measured = Array.from({ length: most }, () => 0.02 + 0.1 * random.uniform());
  const claim = claimOf({ kind: "probability", allowed: 0.25 }, bound);
  const { factor, exceedance, bias } = detectable(claim, measured, most, LEVEL);
  assertEquals(bias, null);
  const above = (times: number) => measured.filter((x) => x * times >= bound).length / most;
  assertGreater(above(factor! * (1 + 1e-9)), exceedance! - 1e-9);
  assertLess(above(0.9 * factor!), exceedance!);
  // Of what may never happen a rarer fault is seen, and a smaller one.
  const never = detectable(claimOf({ kind: "always", allowed: 0.25 }, bound), measured, most, LEVEL);
  assertAlmostEquals(never.exceedance!, 1 - 0.05 ** (1 / most), 1e-12);
  assertLess(never.factor!, factor!);
});

Deno.test("detectable: a mean so far off is refuted, one of a third of that is not", () => {
  const rule = { kind: "mean", tolerance: 0.75 } as const, most = 160, claim = claimOf(rule, 0);
  const random = new RandomStream(5, Purpose.data);
  const centred = Array.from({ length: most }, () => 0.9 * random.normal());
  const { bias } = detectable(claim, centred, most, LEVEL);
  const refuted = (shift: number) => {
    let count = 0;
    for (let repeat = 0; repeat < 100; repeat++) {
      const values = Array.from({ length: most }, () => shift + 0.9 * random.normal());
      const first = values.findIndex((_, at) => {
        const { holds, refuted } = logPValues(claim, values.slice(0, at + 1), false);
        return Math.min(holds, refuted) <= Math.log(LEVEL);
      });
      const { holds, refuted } = logPValues(claim, values.slice(0, first + 1), false);
      if (first >= 0 && refuted < holds) count++;
    }
    return count / 100;
  };
  assertGreater(refuted(1.1 * bias!), 0.85);
  assertLess(refuted(bias! / 3), 0.5);
});

Deno.test("detectable: nothing of no runs, of runs without an error, and of slopes too few", () => {
  const nothing = { exceedance: null, factor: null, bias: null };
  assertEquals(detectable(claimOf({ kind: "always", allowed: 0.25 }, 1), [], 60, LEVEL), nothing);
  assertEquals(detectable(claimOf({ kind: "always", allowed: 0.25 }, 1), [0, 0], 60, LEVEL).factor, null);
  assertEquals(detectable(claimOf({ kind: "slope", low: -1, high: 0 }, 0), [1, 2], 60, LEVEL), nothing);
});
