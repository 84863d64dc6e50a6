import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { verify } from "../../../proofs_checks/engine/verify.ts";
import { measureScaling } from "../../../proofs_checks/scaling/measure.ts";
import { makePage } from "../../../proofs_checks/report/page.ts";
import { sortedMatrix } from "../../../proofs_checks/report/sorted_matrix.ts";

Deno.test("makePage() makes one page that needs nothing else and shows every part", async () => {
  const verification = await verify({
    claims: [
      "gray-order",
      "practical-slope",
      "certificate-moved-rows",
      "column-norm-sampling",
      "hardness-boundary",
    ],
    families: ["all-patterns", "gaussian", "needle", "lognormal-logits-0.5-ln-n"],
    runs: 9,
    code: { version: "0.1.0", commit: "ab".repeat(20), changes: null },
    machine: { processor: "<b>Abacus</b>", cores: 7, system: "wood", runtime: "deno 2" },
  });
  const scaling = await measureScaling({ min: 256, max: 1024, workloads: ["gaussian"] });
  const [first] = verification.results;
  const hostile = { ...first, family: `<script>"&`, verdict: "inconclusive" as const };
  const page = await makePage({
    verification: { ...verification, results: [...verification.results, hostile] },
    scaling,
  });

  assert(
    !/<script|<link (?!rel="icon" href="data:)|src=|@import|url\((?!#)/.test(page),
    "nothing is loaded or run",
  );
  // Names of XML vocabularies are the only addresses.
  const addresses = new Set(page.match(/https?:\/\/[^"'\s<)]+/g));
  assertEquals([...addresses].filter((address) => !address.startsWith("http://www.w3.org/")), []);
  assertStringIncludes(page, "&lt;script&gt;&quot;&amp;");
  for (
    const title of [
      "Error against budget",
      "Certified against true error",
      "The hardness boundary",
      "Why blocks work",
      "Time on gaussian",
    ]
  ) {
    assertStringIncludes(page, `<h3>${title}</h3>`);
  }
  for (const { replay } of verification.results) assertStringIncludes(page, replay);
  // The date, the commit, whole and in short, and the machine.
  for (
    const words of [
      verification.started!,
      "ab".repeat(20),
      `0.1.0@${"ab".repeat(6)}`,
      "&lt;b&gt;Abacus&lt;/b&gt;, 7 cores; wood",
    ]
  ) {
    assertStringIncludes(page, words);
  }
  // Every plot is drawn for wide and for narrow pages.
  assertEquals(page.match(/class="wide"/g)!.length, page.match(/class="narrow"/g)!.length);
  assert(page.match(/<svg /g)!.length >= 14);
});

Deno.test("sortedMatrix() keeps the weight and gathers it on the diagonal", async () => {
  const { cells, blocks, share } = await sortedMatrix(),
    of = (order: string) => cells.filter((cell) => cell.order === order);
  const total = (order: string) => of(order).reduce((sum, { weight }) => sum + weight ** 2, 0);
  assert(Math.abs(total("after") / total("before") - 1) < 1e-9);
  assert(share > 2 / blocks, `${share} in ${blocks} blocks`);
});
