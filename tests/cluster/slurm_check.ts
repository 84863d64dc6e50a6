import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { inFolder } from "../commands/array_files.ts";
import { assertSameCases, exists, missingCommand, readVerification, SMALL, verifyWhole } from "./shards.ts";
import { Slurm } from "./slurm.ts";

const VERIFY = "docs/cluster/verify.sbatch", MERGE = "docs/cluster/merge.sbatch";

Deno.test("Slurm: a job array, of which one job is preempted and one dies, becomes the whole verification", () =>
  inFolder(async (folder) => {
    await using slurm = await Slurm.start(folder);
    const shards = join(folder, "shards"), whole = await verifyWhole(SMALL, join(folder, "whole.json"));
    const array = await slurm.submit(slurm.outputOption, VERIFY, shards, ...SMALL);
    const merge = () => slurm.submit(slurm.outputOption, `--dependency=afterany:${array}`, MERGE, shards);
    const first = await merge(), job = (index: number) => `${array}_${index}`;
    // The two run at the same time.
    await slurm.printing(job(2));
    await slurm.kill(job(2));
    await slurm.printing(job(1));
    await slurm.requeue(job(1));

    // It is not waited for ever, and what is missing is said.
    assertEquals(await slurm.ended(first), ["FAILED", "1:0"]);
    assertEquals(await slurm.ended(job(2)), ["FAILED", "0:9"]);
    const said = await slurm.output(first);
    assertStringIncludes(said, "PROBLEM: 1 of 8 shards is missing: 2");
    assertStringIncludes(missingCommand(said, 2), "--shard 2/8 --");
    const partial = await readVerification(`${shards}.json`);
    assertEquals(partial.shards, { count: 8, present: [1, 3, 4, 5, 6, 7, 8] });
    assertEquals(await exists(join(shards, "2.json")), false);
    // What was queued again while it ran began anew, and was waited for.
    assertEquals(await slurm.field(job(1), "Restarts"), "1");
    assertEquals(await slurm.ended(job(1)), ["COMPLETED", "0:0"]);

    await slurm.requeue(job(2));
    const second = await merge();
    assertEquals(await slurm.ended(second), ["COMPLETED", "0:0"], await slurm.output(second));
    assertEquals(await slurm.ended(job(2)), ["COMPLETED", "0:0"]);
    const joined = await readVerification(`${shards}.json`);
    assertSameCases(joined, whole);
    assertEquals([joined.problems, joined.origins!.length], [[], 8]);
    assert(
      joined.origins!.every(({ code, started }) => code?.version === whole.code!.version && started !== null),
    );
  }));

Deno.test("Slurm: of a job that is cancelled there is what was done, and the merge says so", () =>
  inFolder(async (folder) => {
    const shards = join(folder, "shards");
    await using slurm = await Slurm.start(folder);
    const array = await slurm.submit("--array=1-2", slurm.outputOption, VERIFY, shards, ...SMALL);
    await slurm.printing(`${array}_1`);
    await slurm.cancel(`${array}_1`);
    const merge = await slurm.submit(slurm.outputOption, `--dependency=afterany:${array}`, MERGE, shards);
    assertEquals(await slurm.ended(merge), ["FAILED", "1:0"]);
    const said = await slurm.output(merge);
    assertStringIncludes(
      said,
      `PROBLEM: ${join(shards, "1.json")} was broken off when 1 of 2 cases were done: deno run`,
    );
    assertStringIncludes(said, "PROBLEM: 6 of 8 shards are missing: 3, 4, 5, 6, 7, 8");
  }));
