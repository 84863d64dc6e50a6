import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ComparisonReport, ComparisonsReport } from "../../proofs_checks/comparison/report.ts";
import { methods } from "../../mod.ts";
import { cli } from "../child.ts";
import { generalNames } from "../method_names.ts";

const small = ["compare", "--workload", "gaussian", "--n", "400", "--device", "wasm"];
const quick = [...small, "--budgets", "16,64", "--seeds", "2", "--repeat", "2"];

Deno.test("cli compare prints a line for every method at every budget, and writes JSON and a page", async () => {
  const folder = await mkdtemp(join(tmpdir(), "kdeformer-"));
  try {
    const json = join(folder, "report.json"), page = join(folder, "page.html");
    const { code, stdout, stderr } = await cli(...quick, "--json", json, "--report", page);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, "1 head, 400 queries × 400 keys, d 64, d_v 64; wasm: ");
    assertMatch(stdout, /^exact +– +[\d.]+ m?s +1 +400 +0 +0 +●$/m);
    for (const method of ["auto", ...generalNames]) {
      for (const budget of [16, 64]) {
        assertMatch(stdout, new RegExp(`^${method}(?: → \\S+)? +${budget} +[\\d.]+ m?s +[\\d.]+ `, "m"));
      }
    }
    const report: ComparisonReport = JSON.parse(await readFile(json, "utf8"));
    assertEquals([report.schema, report.version, report.device], ["kdeformer-comparison", 1, "wasm"]);
    assertEquals(report.points.length, 1 + 2 * (methods.length - 1));
    assertEquals(stdout.match(/●$/gm)!.length, report.points.filter(({ front }) => front).length);
    assertStringIncludes(await readFile(page, "utf8"), "<h3>Error against time, method by method</h3>");
    assertEquals((await readdir(folder)).sort(), ["page.html", "report.json"]);

    const nowhere = ["--methods", "exact", "--json", join(folder, "no", "such.json")];
    const unwritable = await cli(...quick, ...nowhere);
    assertEquals(unwritable.code, 1);
    assertEquals(unwritable.stdout, "", "it is noticed before the work");
    assertStringIncludes(unwritable.stderr, "such.json: no such file or folder");
  } finally {
    await rm(folder, { recursive: true });
  }
});

Deno.test("cli compare --json - is pure, and the same seed gives the same errors", async () => {
  const args = [...quick, "--methods", "calibrated", "kdeformer-practical", "--causal", "--json", "-"];
  const [first, second] = [await cli(...args), await cli(...args)].map(({ code, stdout }) => {
    assertEquals(code, 0);
    return JSON.parse(stdout) as ComparisonReport;
  });
  assertEquals(first.problem.causal, true);
  assertEquals(first.points.map(({ errors }) => errors), second.points.map(({ errors }) => errors));
  assertEquals(first.points[0].evaluations_per_query, 401 / 2);
  assert(first.points.every(({ refused }) => refused === null));
  assertStringIncludes(first.replay, "cli.ts compare --workload gaussian");
});

Deno.test("cli compare takes several workloads, ranks the methods, and writes every point as CSV", async () => {
  const names = ["gaussian", "clustered"], folder = await mkdtemp(join(tmpdir(), "kdeformer-"));
  try {
    const csv = join(folder, "points.csv"), page = join(folder, "page.html");
    const several = [
      ...quick.map((word) => word === "gaussian" ? names.join(",") : word),
      "--methods",
      "calibrated,hyperattention",
    ];
    const { code, stdout, stderr } = await cli(...several, "--csv", csv, "--json", "-", "--report", page);
    assertEquals([code, stderr], [0, ""]);
    const report: ComparisonsReport = JSON.parse(stdout);
    assertEquals([report.schema, report.version, report.interrupted], ["kdeformer-comparisons", 1, false]);
    assertEquals(report.comparisons.map(({ problem }) => problem.workload), names);
    assertEquals(report.ranks.map(({ method }) => method).sort(), ["calibrated", "hyperattention"]);
    const lines = (await readFile(csv, "utf8")).trimEnd().split("\r\n");
    assertEquals(lines.length, 1 + 2 * (1 + 2 * 2));
    const html = await readFile(page, "utf8");
    for (const name of names) assertStringIncludes(html, `<h2>${name}</h2>`);
    const text = await cli(...several);
    assertMatch(text.stdout, /^2 inputs:$/m);
    assertMatch(text.stdout, /^calibrated +[\d.]+ +\d+ /m);
  } finally {
    await rm(folder, { recursive: true });
  }
});

Deno.test("cli compare refuses what it cannot do", async () => {
  const cases: [string[], string][] = [
    [["compare"], "compare needs --q, --k and --v, or --workload NAME"],
    [["compare", "--q", "a.npy", "--k", "b.npy"], "compare needs --q, --k and --v, or --workload NAME"],
    [["compare", "--q", "a.npy", "--workload", "gaussian"], "Give either --workload or --q, --k and --v"],
    [["compare", "--workload", "gausian"], "Unknown workload gausian; did you mean gaussian?"],
    [[...small, "--methods", "auto,calibrate"], "Unknown method calibrate; did you mean calibrated?"],
    [[...small, "--budgets", "64,0"], '--budgets must be integers from 2 to 1073741824: got "0"'],
    [[...small, "--budgets", "64,"], '--budgets must be integers from 2 to 1073741824: got ""'],
    [[...small, "--budgets", "1.5"], '--budgets must be integers from 2 to 1073741824: got "1.5"'],
    [[...small, "--seeds", "0"], "--seeds must be an integer from 1 to 2^53 − 1: got 0"],
    [[...small, "--repeat", "-1"], "--repeat must be an integer from 1 to 2^53 − 1: got -1"],
    [["compare", "--workload", "gaussian,gausian"], "Unknown workload gausian; did you mean gaussian?"],
    [
      ["compare", "--workload", "gaussian", "--heads", "all"],
      "--heads: gaussian has no heads to choose from",
    ],
    [["compare", "--workload", "ocr", "--heads", "3.0"], "--heads must be all or of 1.0, 1.1, "],
    [["compare", "--workload", "ocr", "--head", "1.0", "--heads", "all"], "Give either --head or --heads"],
    [["compare", "--workload", "ocr,glove", "--head", "1.0"], "--head goes with one workload"],
    [
      ["compare", "--q", "a", "--k", "b", "--v", "c", "--heads", "all"],
      "--heads goes with --workload, not with files",
    ],
    [[...small, "--seed", "-1"], "--seed must be an integer from 0 to 2^53 − 1: got -1"],
    [["compare", "--workload", "gaussian", "--device", "abacus"], "--device must be one of"],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await cli(...args);
    assertEquals([code, stdout], [2, ""], args.join(" "));
    assertStringIncludes(stderr, message);
  }
  const missing = await cli("compare", "--q", "nowhere.npy", "--k", "nowhere.npy", "--v", "nowhere.npy");
  assertEquals([missing.code, missing.stdout], [1, ""]);
  assertStringIncludes(missing.stderr, "nowhere.npy");
});
