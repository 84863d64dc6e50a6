import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { keptOf, verificationRows, verificationSummary } from "../../bench/kept_verification.ts";
import { verify } from "../../proofs_checks/engine/verify.ts";

const small = { claims: ["gray-order", "lift-identity"], runs: 2, device: "reference" } as const;

Deno.test("a kept verification has the claims in the order of the registry, and each case once", async () => {
  const { results, ...report } = await verify({ ...small, level: "standard" });
  const kept = keptOf({ ...report, results: results.toReversed(), cases: results.length });
  assertEquals(verificationRows(kept).map(([claim]) => claim), ["`lift-identity`", "`gray-order`"]);
  assertEquals(kept.results.length, results.length);
  assertStringIncludes(verificationSummary(kept), `Of ${results.length} cases 0 hold`);
  assertStringIncludes(verificationSummary(kept), `${results.length} are open`);
});

Deno.test("a verification that is no whole standard one is not kept", async () => {
  const report = await verify({ ...small, level: "standard" }),
    whole = { ...report, cases: report.results.length };
  assertThrows(() => keptOf({ ...whole, cases: 99 }), RangeError, "of 99 cases");
  assertThrows(() => keptOf({ ...whole, effort: undefined }), RangeError, "this is a quick one");
  assertThrows(
    () => keptOf({ ...whole, problems: ["share 2 is missing"] }),
    RangeError,
    "share 2 is missing",
  );
});
