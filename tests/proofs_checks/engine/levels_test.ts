import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { exitCode } from "../../../commands/verify_lines.ts";
import { claims } from "../../../proofs_checks/claims/claims.ts";
import { noInput, ownCase } from "../../../proofs_checks/engine/cases.ts";
import type { AttentionInput } from "../../../proofs_checks/inputs/family.ts";
import { inputFamily } from "../../../proofs_checks/inputs/families.ts";
import { chooseCases } from "../../../proofs_checks/engine/choose_cases.ts";
import { atLevel, casesAt, type Level } from "../../../proofs_checks/engine/levels.ts";
import { verify } from "../../../proofs_checks/engine/verify.ts";
import { makeClaim } from "./make_claim.ts";

const device = "reference";

Deno.test("levels: what a claim is checked on at a larger size are families of its own", () => {
  for (const { name, cases, standard, thorough } of claims) {
    const own = cases.map(({ source }) => source.name);
    const named = [...standard?.families ?? [], ...thorough?.families ?? []];
    assertEquals(named.filter((family) => !own.includes(family)), [], name);
  }
});

Deno.test("levels: quick changes nothing, standard asks for a smaller δ, more runs and more keys", async () => {
  const claim = makeClaim({
    rule: { kind: "probability", allowed: 0.25 },
    cases: [ownCase(noInput("small")), ownCase(noInput("large"))],
    standard: { n: 64, families: ["large"], runsPerInput: 4 },
    runs: 60,
  });
  const [small, large] = claim.cases;
  assertEquals(atLevel([claim, large], "quick"), [claim, large]);
  assertEquals(atLevel([claim, small], "standard")[0].n, claim.n);
  const [changed] = atLevel([claim, large], "standard");
  assertEquals([changed.n, changed.runsPerInput], [64, 4]);
  assertEquals(atLevel([claim, large], "thorough")[0].n, 64);
  const report = await verify({ claims: [claim], level: "standard", device });
  assertEquals([report.effort, report.results.map(({ n }) => n)], ["standard", [16, 64]]);
  for (const { verdict, runs, replay } of report.results) {
    assertEquals(verdict, "holds");
    assertGreater(runs, 200);
    assertStringIncludes(replay, `level: "standard"`);
  }
  assertStringIncludes(report.claims[0].rule, "at most 0.05");
});

Deno.test("levels: runs share an input where they are to, and no random number", async () => {
  const seen: { input: AttentionInput; seed: number }[] = [];
  const claim = makeClaim({
    cases: [
      ownCase({
        name: "some",
        open: () => ({ next: (options) => inputFamily("gaussian").generate(options) }),
      }),
    ],
    standard: { n: 8, families: ["some"], runsPerInput: 3 },
    async run({ input, seed }) {
      seen.push({ input: await input(), seed });
      return { measured: 0 };
    },
  });
  await verify({ claims: [claim], level: "standard", runs: 7, device });
  assertEquals(new Set(seen.map(({ input }) => input)).size, 3);
  assertEquals(seen.map(({ input }) => input === seen[0].input), [
    true,
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
  assertEquals(new Set(seen.map(({ seed }) => seed)).size, 7);
  assert(seen[0].input.key.data[0] !== seen[3].input.key.data[0]);
});

Deno.test("levels: a case that is left open fails where verdicts are promised", async () => {
  // Two slopes are too few to test.
  const claim = makeClaim({ runs: 2, rule: { kind: "slope", low: -1, high: 1 }, bound: 0 });
  for (const [level, code] of [["quick", 0], ["standard", 1]] as const) {
    const report = await verify({ claims: [claim], level, device });
    assertEquals([report.results[0].verdict, exitCode(report)], ["inconclusive", code]);
  }
});

Deno.test("a claim that was at stake in no run is vacuous, and that fails", async () => {
  const at = (telling: (run: number) => boolean | undefined) =>
    verify({
      claims: [makeClaim({ run: ({ run }) => Promise.resolve({ measured: 0, telling: telling(run) }) })],
      device,
    });
  const never = await at(() => false);
  assertEquals(
    [never.results[0].verdict, never.results[0].confidence, never.results[0].telling, exitCode(never)],
    ["vacuous", 0, 0, 1],
  );
  const once = await at((run) => run === 2);
  assertEquals([once.results[0].verdict, exitCode(once)], ["holds", 0]);
  assertEquals(once.results[0].telling, 1 / once.results[0].runs);
  // A run that says nothing was one in which something was at stake.
  const [mixed] = (await at((run) => run === 3 ? false : undefined)).results;
  assertEquals([mixed.verdict, mixed.telling], ["holds", 1 - 1 / mixed.runs]);
  assertEquals((await at(() => undefined)).results[0].telling, null);
});

Deno.test("levels: what takes thousands of runs is left to those who name it, or undertake more", () => {
  const long = claims.filter(({ from }) => from !== undefined);
  assertGreater(long.length, 0);
  const chosen = chooseCases({});
  const names = (level: Level, named?: string[]) =>
    new Set(casesAt(named ? chooseCases({ claims: named }) : chosen, level, named).map(([{ name }]) => name));
  for (const { name } of long) {
    assertEquals([names("quick").has(name), names("quick", [name]).has(name), names("standard").has(name)], [
      false,
      true,
      true,
    ]);
  }
});
