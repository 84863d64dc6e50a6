import { assertEquals, assertStringIncludes } from "@std/assert";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { type ChildResult, runChild } from "../child.ts";
import { inFolder } from "../commands/array_files.ts";
import { requirePrograms, withDeno } from "./programs.ts";
import { assertSameCases, missingCommand, readVerification, SMALL, verifyWhole } from "./shards.ts";
import { until } from "./until.ts";

const COUNT = 4;

function script(name: string, ...args: string[]): Promise<ChildResult> {
  return runChild(`docs/cluster/${name}`, args, { env: { ...withDeno, JOBS: "2" } });
}

/** The number of the process of Deno that works on a file. */
async function workingOn(file: string): Promise<number | undefined> {
  for (const pid of await readdir("/proc")) {
    const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
    if (words[0].endsWith("deno") && words.includes(file)) return Number(pid);
  }
  return undefined;
}

/** What became of each share, as GNU parallel has it: the exit code, of each try the last. */
async function joblog(folder: string): Promise<Record<string, number>> {
  const [, ...lines] = (await readFile(join(folder, "joblog"), "utf8")).trim().split("\n");
  return Object.fromEntries(
    lines.map((line) => line.split("\t")).map((cells) => [cells[0], Number(cells[6])]),
  );
}

Deno.test("GNU parallel: a job that is killed is run again, it alone, and shards become the whole verification", () =>
  inFolder(async (folder) => {
    await requirePrograms("parallel", "parallel");
    const shards = join(folder, "shards"), whole = await verifyWhole(SMALL, join(folder, "whole.json"));
    const run = () => script("parallel.sh", String(COUNT), shards, ...SMALL);
    const killed = until("share 2 to run", () => workingOn(join(shards, "2.json")))
      .then((pid) => process.kill(pid, "SIGKILL"));
    const [first] = await Promise.all([run(), killed]);
    assertEquals(first.code, 1, first.stderr);
    assertEquals(await joblog(shards), { 1: 0, 2: 128 + 9, 3: 0, 4: 0 });
    const some = await script("merge.sh", shards);
    assertEquals(some.code, 1);
    assertStringIncludes(some.stderr, `PROBLEM: 1 of ${COUNT} shards is missing: 2`);
    assertStringIncludes(missingCommand(some.stderr, 2), `--shard 2/${COUNT} --`);

    const startOf = async (index: number) => (await readVerification(join(shards, `${index}.json`))).started!;
    const before = await Promise.all([1, 3, 4].map(startOf));
    const second = await run();
    assertEquals(second.code, 0, second.stderr);
    assertEquals(await joblog(shards), { 1: 0, 2: 0, 3: 0, 4: 0 });
    assertEquals(await Promise.all([1, 3, 4].map(startOf)), before, "what was done is not done again");
    const all = await script("merge.sh", shards);
    assertEquals([all.code, all.stderr], [0, ""]);
    assertSameCases(await readVerification(`${shards}.json`), whole);
  }));
