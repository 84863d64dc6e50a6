import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VerificationReport } from "../../proofs_checks/engine/report.ts";
import { cli, deno } from "../child.ts";

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

Deno.test("a claim refuted against expectation exits with 1, and so does one that holds against it", async () => {
  await inFolder(async (folder) => {
    const { stdout } = await cli("verify", "--claim", "gray-order", "--runs", "2", "--json", "-");
    const report: VerificationReport = JSON.parse(stdout), [result] = report.results;
    const joinedAs = async (parts: Partial<VerificationReport["results"][0]>) => {
      const file = join(folder, "one.json");
      await writeFile(file, JSON.stringify({ ...report, results: [{ ...result, ...parts }] }));
      return await cli("report", "--merge", file, "--json", join(folder, "out.json"));
    };
    const against = await joinedAs({ log_p: { holds: 0, refuted: -1000 } });
    assertEquals(against.code, 1);
    assertStringIncludes(
      against.stdout,
      "REFUTED AGAINST EXPECTATION:\n  deno run -A cli.ts verify --claim gray-order",
    );
    assertStringIncludes(against.stdout, "1 claim on 1 family of inputs, 1 verdict in ");
    // A measurement that sees nothing holds everywhere.
    const better = await joinedAs({
      expected: "refuted",
      why: "theory",
      log_p: { holds: -1000, refuted: 0 },
    });
    assertEquals(better.code, 1);
    assertStringIncludes(
      better.stdout,
      "Hold although a refutation was expected:\n  deno run -A cli.ts verify",
    );
    const expected = await joinedAs({
      expected: "refuted",
      why: "theory",
      log_p: { holds: 0, refuted: -1000 },
    });
    assertEquals(expected.code, 0, expected.stdout);
  });
});

Deno.test("real data that cannot be had is what could not run, with its reason, and exits with 1", async () => {
  await inFolder(async (folder) => {
    // Nothing is cached there and no registry answers.
    const closed = "http://localhost:9",
      words = ["--claim", "lift-identity", "--family", "glove", "huge-logits"];
    const offline = await deno(
      ["run", "-A", "--quiet", "--no-lock", "cli.ts", "verify", ...words, "--json", join(folder, "o.json")],
      { env: { DENO_DIR: join(folder, "cache"), HTTPS_PROXY: closed, HTTP_PROXY: closed } },
    );
    assertEquals(offline.code, 1, offline.stdout + offline.stderr);
    assertMatch(
      offline.stdout,
      /^! could not run +lift-identity +glove +run 0: \S.* deno run -A cli.ts verify/m,
    );
    assertMatch(offline.stdout, /^✓ holds +lift-identity +huge-logits/m);
    assertStringIncludes(offline.stdout, "0 refuted against expectation, 1 could not run");
    const { results }: VerificationReport = JSON.parse(await readFile(join(folder, "o.json"), "utf8"));
    const broken = results.find(({ family }) => family === "glove")!;
    assertEquals([broken.verdict, broken.runs, broken.confidence, broken.note], [
      "error",
      0,
      0,
      broken.reason,
    ]);
    // A page and a joined report say it too.
    const joined = await cli("report", "--merge", join(folder, "o.json"), "--json", join(folder, "j.json"));
    assertEquals(joined.code, 1);
    assertStringIncludes(joined.stdout, "COULD NOT RUN");
  });
});

Deno.test("cli verify refuses sizes beforehand, and says where a claim does not apply", async () => {
  const huge = await cli("verify", "--n", "1000000000");
  assertEquals([huge.code, huge.stdout], [2, ""]);
  assertMatch(huge.stderr, /n must be at most \d+ for lift-identity .* current value is 1000000000/);
  const small = await cli("verify", "--claim", "same-seed", "--n", "2");
  assertEquals(small.code, 1);
  assertMatch(small.stdout, /^– no verdict +same-seed +gaussian +not applicable at n = 2: /m);
  assertStringIncludes(small.stdout, "NOTHING WAS CHECKED");
});

Deno.test("cli report says which shards are missing, writes the page all the same and exits with 1", async () => {
  await inFolder(async (folder) => {
    const path = (name: string) => join(folder, name);
    const shard = async (index: number, ...more: string[]) => {
      const args = ["verify", "--claim", "residual-mass", "--runs", "2", "--shard", `${index}/3`];
      assertEquals((await cli(...args, "--json", path(`${index}.json`), ...more)).code, 0);
    };
    for (const index of [1, 3]) await shard(index, "--device", "reference");
    const some = await cli("report", "--merge", path("1.json"), path("3.json"), "--out", path("page.html"));
    assertEquals(some.code, 1, some.stderr);
    assertStringIncludes(some.stderr, "PROBLEM: 1 of 3 shards is missing: 2");
    assertStringIncludes(await readFile(path("page.html"), "utf8"), "<li>1 of 3 shards is missing: 2</li>");

    await shard(2, "--device", "wasm");
    const files = [1, 2, 3].map((index) => path(`${index}.json`));
    const mixed = await cli("report", "--merge", ...files, "--json", "-");
    assertEquals(mixed.code, 1);
    assertStringIncludes(
      mixed.stderr,
      `PROBLEM: device differs: reference in ${files[0]}, ${files[2]}; wasm in ${files[1]}`,
    );
    assertEquals(JSON.parse(mixed.stdout).shards, { count: 3, present: [1, 2, 3] });
    await shard(2, "--device", "reference");
    // A mark of the byte order is no fault.
    await writeFile(files[0], `\ufeff${await readFile(files[0], "utf8")}`);
    const whole = await cli("report", "--merge", ...files, "--json", "-");
    assertEquals([whole.code, whole.stderr], [0, ""]);
  });
});

Deno.test("cli report names the file that it cannot read, and what is wrong with it", async () => {
  await inFolder(async (folder) => {
    const file = join(folder, "bad.json");
    const message = async (path: string) => {
      const { code, stderr } = await cli("report", "--merge", path, "--json", "-");
      assertEquals(code, 1);
      return stderr;
    };
    assertEquals(
      await message(join(folder, "no.json")),
      `Cannot read ${join(folder, "no.json")}: no such file or folder\n`,
    );
    assertEquals(await message(folder), `Cannot read ${folder}: it is a folder\n`);
    for (
      const [text, error] of [["null", " must be an object: current value is null"], [
        "{",
        "it must hold JSON",
      ]]
    ) {
      await writeFile(file, text);
      const said = await message(file);
      assertStringIncludes(said, file);
      assertStringIncludes(said, error);
    }
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
    [["scaling", "--epsilon", "2"], "--epsilon must lie between 0 and 1: got 2"],
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
