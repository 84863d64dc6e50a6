import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VerificationReport } from "../../proofs_checks/engine/report.ts";
import { cli } from "../child.ts";

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "kdeformer-"));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

Deno.test("cli verify prints a line a case that its own command repeats", async () => {
  const { code, stdout } = await cli(
    "verify",
    "--claim",
    "gray-order",
    "block-removal",
    "--family",
    "clustered",
    "all-patterns",
    "seed-aware",
  );
  assertEquals(code, 0, stdout);
  const lines = stdout.split("\n").filter((line) => line.includes("cli.ts verify"));
  assertEquals(lines.length, 3);
  for (const line of lines) {
    const again = await cli(...line.slice(line.indexOf("verify --claim")).split(" "));
    assertEquals(again.stdout.split("\n")[0], line);
  }
  assertMatch(stdout, /✓ refuted {6}block-removal +seed-aware/);
  assertStringIncludes(stdout, "2 claims on 3 families of inputs, 3 verdicts");
});

Deno.test("cli verify --json - is pure, shards join into the whole, and report writes a page", async () => {
  await inFolder(async (folder) => {
    const files = [1, 2].map((index) => join(folder, `${index}.json`)), page = join(folder, "page.html");
    for (const [at, file] of files.entries()) {
      const shard = await cli(
        "verify",
        "--claim",
        "residual-mass",
        "--shard",
        `${at + 1}/2`,
        "--runs",
        "5",
        "--json",
        file,
      );
      assertEquals(shard.code, 0, shard.stderr);
    }
    const joined = await cli("report", "--merge", ...files, "--json", "-", "--out", page);
    assertEquals(joined.code, 0, joined.stderr);
    const whole = await cli("verify", "--claim", "residual-mass", "--runs", "5", "--json", "-");
    const keys = ({ results }: VerificationReport) =>
      results.map(({ claim, family, measured, verdict }) => `${claim} ${family} ${measured} ${verdict}`)
        .sort();
    assertEquals(keys(JSON.parse(joined.stdout)), keys(JSON.parse(whole.stdout)));
    assertStringIncludes(await readFile(page, "utf8"), "<!DOCTYPE html>");
  });
});

Deno.test("a claim refuted against expectation exits with 1", async () => {
  await inFolder(async (folder) => {
    const { stdout } = await cli("verify", "--claim", "gray-order", "--runs", "2", "--json", "-");
    const report: VerificationReport = JSON.parse(stdout), [result] = report.results;
    const refuted = { ...report, results: [{ ...result, log_p: { holds: 0, refuted: -1000 } }] };
    const file = join(folder, "refuted.json");
    await writeFile(file, JSON.stringify(refuted));
    const joined = await cli("report", "--merge", file, "--json", join(folder, "out.json"));
    assertEquals(joined.code, 1);
    assertStringIncludes(
      joined.stdout,
      "REFUTED AGAINST EXPECTATION:\n  deno run -A cli.ts verify --claim gray-order",
    );
  });
});

Deno.test("cli scaling prints its table and pure JSON", async () => {
  const args = ["scaling", "--min", "256", "--max", "1024", "--workload", "clustered"];
  const table = await cli(...args);
  assertEquals(table.code, 0, table.stderr);
  assertMatch(table.stdout, /clustered +fixed-budget +\S+/);
  const { series } = JSON.parse((await cli(...args, "--json", "-")).stdout);
  assertEquals(series.map(({ mode }: { mode: string }) => mode), ["exact", "fixed-budget", "fixed-epsilon"]);
});

Deno.test("cli verify, scaling and report refuse what they cannot do, with exit code 2", async () => {
  const cases: [string[], string][] = [
    [["verify", "--claim", "gray-ordre"], "Unknown claim gray-ordre; did you mean gray-order?"],
    [["verify", "--family", "gausian"], "Unknown family gausian; did you mean gaussian?"],
    [["verify", "--claim", "gray-order", "--family", "needle"], "family must be one of all-patterns"],
    [["verify", "--shard", "3/2"], '--shard must be I/N with 1 <= I <= N: got "3/2"'],
    [["verify", "--runs", "0"], "--runs must be at least 1: got 0"],
    [["verify", "--device", "abacus"], "--device must be one of"],
    [["scaling", "--min", "9", "--max", "3"], "1 <= min <= max"],
    [["scaling", "--workload", "gausian"], "did you mean gaussian?"],
    [["scaling", "--epsilon", "2"], "--epsilon must be between 0 and 1: got 2"],
    [["report"], "report needs --merge A.json …"],
    [["report", "--merge", "a.json"], "report needs --out FILE.html or --json FILE"],
  ];
  for (const [args, text] of cases) {
    const { code, stdout, stderr } = await cli(...args);
    assertEquals([code, stdout], [2, ""], args.join(" "));
    assertStringIncludes(stderr, text);
  }
  const missing = await cli("report", "--merge", "no-such.json", "--out", "x.html");
  assert(missing.code === 1 && missing.stderr.includes("no-such.json"));
});
