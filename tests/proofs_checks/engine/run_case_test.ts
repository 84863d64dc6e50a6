import { assert, assertEquals, assertLess, assertNotEquals, assertRejects } from "@std/assert";
import { openDevice } from "../../../kernels/device.ts";
import { holdsOn, noInput, ownCase } from "../../../proofs_checks/engine/cases.ts";
import type { Claim, Rule } from "../../../proofs_checks/engine/claim.ts";
import { shipped } from "../../../proofs_checks/engine/implementation.ts";
import { NotApplicable } from "../../../proofs_checks/engine/outcome.ts";
import { type CaseOptions, runCase } from "../../../proofs_checks/engine/run_case.ts";
import { runSeed, SeedUse } from "../../../proofs_checks/engine/seeds.ts";
import { makeClaim } from "./make_claim.ts";

const rules: readonly Rule[] = [
  { kind: "always", allowed: 0.25 },
  { kind: "probability", allowed: 0.25 },
  { kind: "mean", tolerance: 0.75 },
  { kind: "slope", low: -1, high: 1 },
];

async function run(claim: Claim, options: Partial<CaseOptions> = {}) {
  using device = await openDevice({ prefer: "reference" });
  return await runCase(claim, claim.cases[0], {
    device,
    implementation: shipped,
    seed: 1,
    stopAt: 1e-4,
    ...options,
  });
}

Deno.test("runCase() stops when the evidence is clear, either way, and not before", async () => {
  const clear = await run(makeClaim({}));
  // ½ · 0.75^−r >= 10⁴ from r = 35 on.
  assert(clear.runs >= 33 && clear.runs <= 35, String(clear.runs));
  assertEquals([clear.violations, clear.firstViolation], [0, null]);
  const broken = await run(makeClaim({ run: ({ run }) => Promise.resolve({ measured: run === 3 ? 2 : 0 }) }));
  assertEquals([broken.runs, broken.violations, broken.firstViolation], [4, 1, 3]);
  assertEquals((await run(makeClaim({}), { runs: 7 })).runs, 7);
});

Deno.test("runCase() breaks off at a run that throws, which is evidence for nothing, and says why", async () => {
  for (const rule of rules) {
    for (const at of [0, 5]) {
      const outcome = await run(makeClaim({
        rule,
        // What came before is no evidence either: a case that breaks off has no verdict.
        run: ({ run }) =>
          run === at ? Promise.reject(new Error("no such kernel")) : Promise.resolve({ measured: 0 }),
      }));
      assertEquals(outcome.broken, { verdict: "error", reason: `run ${at}: no such kernel` });
      assertEquals([outcome.runs, outcome.logPValues], [at, { holds: 0, refuted: 0 }], rule.kind);
    }
  }
});

Deno.test("runCase() takes data that cannot be had for no evidence, and anything thrown for a reason", async () => {
  const source = (open: () => never) => ({ ...noInput("far away"), open });
  const thrown = [new Error("offline"), "offline", undefined];
  for (const error of thrown) {
    const outcome = await run(makeClaim({
      cases: [ownCase(source(() => {
        throw error;
      }))],
    }));
    assertEquals(outcome.broken, {
      verdict: "error",
      reason: `run 0: ${error === undefined ? error : "offline"}`,
    });
    assertEquals([outcome.runs, outcome.measured], [0, NaN]);
  }
});

Deno.test("runCase() takes a measured NaN for a violation, whatever the rule, and says which run", async () => {
  for (const rule of rules) {
    const outcome = await run(makeClaim({ rule, runs: 9, run: () => Promise.resolve({ measured: NaN }) }));
    assertEquals([outcome.broken, outcome.note], [null, "run 0 measured NaN"]);
    assert(outcome.logPValues.refuted < Math.log(1e-4), rule.kind);
  }
});

Deno.test("runCase() asks whether a claim applies before anything is measured, and never after", async () => {
  const claim = (at: number) =>
    makeClaim({
      run({ run }) {
        if (run === at) throw new NotApplicable("one key is no choice");
        return Promise.resolve({ measured: 0 });
      },
    });
  assertEquals((await run(claim(0), { n: 1 })).broken, {
    verdict: "not-applicable",
    reason: "not applicable at n = 1: one key is no choice",
  });
  assertEquals((await run(claim(2))).broken, { verdict: "error", reason: "run 2: one key is no choice" });
});

Deno.test("runCase() is stopped by its signal and does not take that for a violation", async () => {
  const controller = new AbortController();
  const claim = makeClaim({
    run({ run }) {
      if (run === 2) controller.abort(new Error("enough"));
      return Promise.resolve({ measured: 0 });
    },
  });
  await assertRejects(() => run(claim, { signal: controller.signal }), Error, "enough");
});

Deno.test("runs of a case depend on seed, claim, family and run alone", async () => {
  const seen: number[] = [];
  const claim = makeClaim({
    cases: holdsOn("gaussian"),
    async run({ seed, input }) {
      const first = await input(), second = await input();
      seen.push(seed, first.query.data[0], second.query.data[0]);
      return { measured: 0 };
    },
  });
  await run(claim, { runs: 3 });
  const [once] = [seen.splice(0)];
  await run(claim, { runs: 2 });
  assertEquals(seen, once.slice(0, 6));
  assertEquals(new Set(once).size, once.length);
  const other = makeClaim({ ...claim, name: "another" });
  seen.length = 0;
  await run(other, { runs: 1 });
  assertNotEquals(seen[0], once[0]);
});

Deno.test("an exhaustive source is used to the end, and hears how bad its inputs were", async () => {
  const heard: number[] = [];
  const source = {
    ...noInput("listener"),
    exhaustive: true,
    open: (_: number, runs: number) => ({
      next: () => Promise.reject(new Error("unused")),
      observe: (ratio: number) => heard.push(ratio),
      describe: () => `of ${runs}`,
    }),
  };
  const claim = makeClaim({
    bound: 4,
    cases: [ownCase(source)],
    run: ({ run }) => Promise.resolve({ measured: 1, badness: run === 0 ? 9 : undefined }),
  });
  const outcome = await run(claim);
  assertEquals([outcome.runs, outcome.note], [60, "of 60"]);
  assertEquals(heard.slice(0, 3), [9, 0.25, 0.25]);
});

Deno.test("runSeed() gives safe integers that differ in every argument", () => {
  const seeds = new Set<number>();
  for (const seed of [0, 1, 2 ** 40]) {
    for (const claim of ["a", "b"]) {
      for (const family of ["a", "b"]) {
        for (const run of [0, 1, 2]) {
          for (const use of Object.values(SeedUse)) seeds.add(runSeed(seed, claim, family, run, use));
        }
      }
    }
  }
  assertEquals(seeds.size, 3 * 2 * 2 * 3 * 3);
  for (const seed of seeds) assert(Number.isSafeInteger(seed) && seed >= 0);
  assertLess([...seeds].filter((seed) => seed < 2 ** 32).length, 5);
});
