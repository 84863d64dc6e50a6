import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { VerificationReport } from "../../proofs_checks/engine/report.ts";
import { type ChildResult, cli, runChild } from "../child.ts";
import { inFolder } from "../commands/array_files.ts";
import { requirePrograms, withDeno } from "./programs.ts";
import { assertSameCases, exists, missingCommand, readVerification, verifyWhole } from "./shards.ts";

// What tests/cluster/*_check.ts do with Slurm and GNU parallel, without either: the scripts and what they call.

/** Options of a verification of a second. */
const OPTIONS = [
  ...["--claim", "residual-mass", "--family", "gaussian", "clustered", "adversarial-search"],
  ...["--runs", "6", "--n", "64"],
];

function script(
  name: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<ChildResult> {
  return runChild("bash", [`docs/cluster/${name}`, ...args], { env: { ...withDeno, ...env } });
}

Deno.test("scripts: a share that fails is named by the merge, whose command runs it, and all become the whole", () =>
  inFolder(async (folder) => {
    const shards = join(folder, "shards"), whole = await verifyWhole(OPTIONS, join(folder, "whole.json"));
    const run = (index: number) => script("shard.sh", [String(index), "3", shards, ...OPTIONS]);
    for (const index of [1, 3]) assertEquals((await run(index)).code, 0);
    await mkdir(join(shards, "2.json"));
    assertEquals((await run(2)).code, 2, "there is no report");
    await rmdir(join(shards, "2.json"));

    const some = await script("merge.sh", [shards]);
    assertEquals(some.code, 1);
    assertStringIncludes(some.stderr, "PROBLEM: 1 of 3 shards is missing: 2");
    const command = missingCommand(some.stderr, 2);
    const [, name] = command.match(/--json (\S+)$/)!, path = join(shards, name);
    const named = await runChild("bash", ["-c", command.replace(name, path)], { env: withDeno });
    assertEquals([named.code, await exists(path)], [0, true], named.stderr);
    // The code that the command is of is this.
    assert(!named.stderr.includes("Note:"), named.stderr);
    const all = await script("merge.sh", [shards]);
    assertEquals([all.code, all.stderr], [0, ""]);
    assertSameCases(await readVerification(`${shards}.json`), whole);
  }));

Deno.test("scripts: a share of a job array is of as many as the script says, and the status tells whether its report is there", () =>
  inFolder(async (folder) => {
    const shards = join(folder, "shards"), options = ["--claim", "block-removal", "--runs", "3", "--n", "64"];
    // An array of one, as a rerun is.
    const env = { SLURM_ARRAY_TASK_ID: "2", SLURM_ARRAY_TASK_COUNT: "1", SLURM_ARRAY_TASK_MAX: "2" };
    const { code, stderr } = await script("verify.sbatch", [shards, ...options], env);
    assertEquals(code, 0, stderr);
    const batch = await readFile("docs/cluster/verify.sbatch", "utf8"),
      [, size] = batch.match(/--array=1-(\d+)/)!;
    const { shards: { count, present } } = await readVerification(join(shards, "2.json"));
    assertEquals([count, present], [Number(size), [2]]);
    assertEquals((await script("merge.sbatch", [shards])).code, 1);

    // A report whose command exits with 1 is there, and one that a mistake kept from being written is not.
    const one = ["1", "1", shards, "--claim", "same-seed", "--n", "2"];
    assertEquals((await script("shard.sh", one)).code, 0);
    assertEquals((await script("shard.sh", [...one.slice(0, 3), "--claim", "no-such"])).code, 2);
    assertEquals(await exists(join(shards, "1.json")), false);
  }));

Deno.test("ledger: evidence of two machines' seeds is stronger than either's, and the same as one machine's of both", () =>
  inFolder(async (folder) => {
    const path = (name: string) => join(folder, name), options = OPTIONS;
    const of = async (name: string, seed: number) =>
      await verifyWhole([...options, "--seed", String(seed)], path(name));
    const one = await of("one.json", 1), two = await of("two.json", 2);
    const elsewhere = {
      ...two,
      machine: { ...two.machine!, processor: "another" },
      started: "2027-01-01T00:00:00.000Z",
    };
    await writeFile(path("two.json"), JSON.stringify(elsewhere));
    const joined = await cli(
      "report",
      "--merge",
      path("one.json"),
      path("two.json"),
      "--json",
      path("both.json"),
    );
    assertEquals([joined.code, joined.stderr], [0, ""]);
    for (const _ of [1, 2]) await cli("verify", ...options, "--continue", path("ledger.json"));
    const both = await readVerification(path("both.json")),
      ledger = await readVerification(path("ledger.json"));
    assertSameCases(both, ledger);
    assertEquals(both.seeds, [1, 2]);
    assertEquals(both.origins!.map(({ seed, machine }) => [seed, machine!.processor]), [
      [1, one.machine!.processor],
      [2, "another"],
    ]);
    const evidence = ({ results }: VerificationReport) => results.map(({ log_e: logE }) => logE!.holds);
    for (const [at, sum] of evidence(both).entries()) {
      const parts = [one, two].map((report) => evidence(report)[at]);
      assertAlmostEquals(sum, parts[0] + parts[1], 1e-12);
      for (const part of parts) assertGreater(sum, part);
    }
  }));

Deno.test("what a long test lacks is said, with the package that has it", async () => {
  await requirePrograms("bash", "bash");
  await assertRejects(
    () => requirePrograms("a-package", "bash", "no-such-program", "nor-this"),
    Error,
    "Missing: no-such-program, nor-this; on Debian: apt-get install a-package",
  );
});
