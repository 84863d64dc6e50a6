import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { coverageCurve } from "../../../proofs_checks/report/coverage_plot.ts";
import { heatMap } from "../../../proofs_checks/report/heat_map.ts";
import { verificationFile } from "./reports.ts";

Deno.test("heatMap() lets inputs of one claim share a column where there are many, and shows the worst of them", async () => {
  const report = await verificationFile(), [one] = report.results;
  const many = Array.from({ length: 40 }, (_, at) => ({
    ...one,
    claim: "alone",
    family: `own-${at}`,
    verdict: at === 7 ? "refuted" as const : "holds" as const,
    expected: "holds" as const,
  }));
  const shared = ["first", "second"].map((claim) => ({
    ...one,
    claim,
    family: "common",
    verdict: "holds" as const,
  }));
  const page = heatMap({ ...report, results: [...shared, ...many] }).text;
  assertStringIncludes(page, "inputs of its own");
  assertStringIncludes(page, "common");
  assert(!page.includes("<span>own-7</span>"));
  assertStringIncludes(page, `own-7: refuted against expectation`);
  assertEquals(page.match(/<td class="against"/g)?.length, 1);
  const few = heatMap({ ...report, results: [...shared, ...many.slice(0, 9)] }).text;
  assertStringIncludes(few, "<span>own-7</span>");
  assert(!few.includes("inputs of its own"));
});

Deno.test("coverageCurve() draws the share of false certificates against δ, and nothing without them", async () => {
  const report = await verificationFile(), [one] = report.results;
  assertEquals(coverageCurve(report), undefined);
  const result = {
    ...one,
    claim: "certificate-coverage-tenth",
    family: "sharp-rows",
    runs: 1000,
    violations: 60,
  };
  const points = [{ claim: result.claim, family: result.family, coverage: 0.1 }];
  const plot = coverageCurve({ ...report, results: [result], points })!;
  const [, bar] =
    (plot.spec(false) as unknown as { layer: { data: { values: Record<string, number>[] } }[] }).layer;
  const [{ delta, rate, lower, upper }] = bar.data.values;
  assertEquals([delta, rate], [0.1, 0.06]);
  assert(lower < 0.06 && upper > 0.06 && upper < 0.1);
});
