import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { inWords } from "../../../proofs_checks/report/in_words.ts";
import type { SharedOrigin } from "../../../proofs_checks/engine/origin.ts";
import { resultsOfEveryLook, verificationFile } from "./reports.ts";

Deno.test("a verification in six sentences: checked, not checked, how sure, how big a fault could hide, what failed, who made it", async () => {
  const report = await verificationFile({
    claims: ["residual-mass"],
    families: ["gaussian", "sink-key"],
    runs: 60,
  });
  const [checked, unchecked, sure, hidden, failed, made, ...others] = inWords(report);
  assertEquals(others, []);
  const runs = report.results.reduce((sum, { runs }) => sum + runs, 0);
  assertStringIncludes(checked, `1 statement about this software on 2 kinds of inputs, ${runs} runs`);
  assertStringIncludes(unchecked, "other numbers of keys than 128.");
  assertStringIncludes(sure, `at most 5 %, over all ${report.family_size}`);
  const factors = report.results.map(({ detects }) => detects!.factor!);
  assertStringIncludes(hidden, `errors ${Number(Math.max(...factors).toPrecision(3))} times as large`);
  assertEquals(failed, "What failed: nothing.");
  assertEquals(made, `Made: on ${report.started!.slice(0, 10)}.`);
});

Deno.test("a verification in six sentences: where no error is near its bound, how often a statement might fail unseen", async () => {
  const report = await verificationFile({ claims: ["gray-order"], runs: 60 });
  const [result] = report.results, detects = { exceedance: 0.0786, factor: null, bias: null };
  assertEquals(result.verdict, "holds");
  const [, , , hidden] = inWords({ ...report, results: [{ ...result, detects }] });
  assertStringIncludes(hidden, "a statement that fails in 7.86 % of the runs");
});

Deno.test("a verification says which code, days and machines it is of, and counts several", async () => {
  const report = await verificationFile({ claims: ["gray-order"] });
  const madeBy = (...origins: SharedOrigin[]) => inWords({ ...report, origins })[5];
  const code = { version: "1.2.3", commit: "0123456789abcdef".repeat(2) + "01234567", changes: null };
  const machine = { processor: "Abacus", cores: 7, system: "wood", runtime: "deno 2" };
  const origin = { seed: 1, shards: [1], code, started: "2026-02-03T04:05:06.789Z", machine };
  assertEquals(
    madeBy(origin),
    "Made: by version 1.2.3@0123456789ab, on 2026-02-03, on Abacus, 7 cores; wood; deno 2.",
  );
  const other = {
    ...origin,
    code: { ...code, changes: "f".repeat(64) },
    started: "2026-01-31T00:00:00.000Z",
    machine: { ...machine, cores: 8 },
  };
  assertEquals(
    madeBy(origin, other, origin),
    "Made: by 2 states of the code, from 2026-01-31 to 2026-02-03, on 2 kinds of machine.",
  );
  assertEquals(
    madeBy({ ...origin, code: null, started: null, machine: null }),
    "Made: the report does not say when and by what.",
  );
});

Deno.test("a verification in six sentences: every way to fail is named, and what is expected is none", async () => {
  const report = await verificationFile({ claims: ["residual-mass"], families: ["gaussian"] });
  const results = resultsOfEveryLook(report.results[0]).map((result) => ({ ...result, claim: "a-claim" }));
  const [, unchecked, , , failed] = inWords({ ...report, results, problems: ["a shard is missing"] });
  for (
    const words of [
      "1 case refuted where it should hold (a-claim on against)",
      "1 case that theory says must fail, and did not (a-claim on better)",
      "and 1 case that could not run (a-claim on broken). 1 case had to be refuted",
      "limits of 1 statement that are known, no faults (a-claim on expected); each row below says why",
    ]
  ) {
    assertStringIncludes(failed, words);
  }
  for (
    const words of [
      "1 case that the runs did not settle",
      "1 case in which the statement says nothing",
      "what is missing",
    ]
  ) {
    assertStringIncludes(unchecked, words);
  }
  const many = Array.from({ length: 5 }, (_, at) => ({ ...results[3], family: `family-${at}` }));
  assert(
    inWords({ ...report, results: many })[4].endsWith(
      "(a-claim on family-0, a-claim on family-1, a-claim on family-2 and 2 more).",
    ),
  );
  // A report of an earlier version says nothing of what it would have seen.
  const older = results.map(({ detects: _, ...result }) => result);
  assertStringIncludes(inWords({ ...report, results: older })[3], "does not say");
});
