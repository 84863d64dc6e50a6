import { assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { codeHere } from "../../commands/code_here.ts";
import { VERSION } from "../../commands/version.ts";
import { codeWord } from "../../proofs_checks/engine/origin.ts";
import { cli, runChild } from "../child.ts";
import { inFolder } from "./array_files.ts";

const UNKNOWN = { version: VERSION, commit: null, changes: null };
const asRoot = (folder: string) => pathToFileURL(`${folder}/`);

async function git(folder: string, ...words: string[]): Promise<string> {
  const who = ["-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "commit.gpgsign=false"];
  const { code, stdout, stderr } = await runChild("git", [...who, "-C", folder, ...words]);
  assertEquals(code, 0, stderr);
  return stdout.trim();
}

Deno.test("the code of a checkout is its commit, and what differs from it", () =>
  inFolder(async (folder) => {
    const root = asRoot(folder), file = join(folder, "a.ts");
    assertEquals(await codeHere(root), UNKNOWN, "no repository");
    await git(folder, "init", "--quiet");
    await writeFile(file, "one\n");
    await git(folder, "add", ".");
    assertEquals(await codeHere(root), UNKNOWN, "no commit");
    await git(folder, "commit", "--quiet", "-m", "one");
    const clean = { version: VERSION, commit: await git(folder, "rev-parse", "HEAD"), changes: null };
    assertEquals(await codeHere(root), clean);
    // Results that lie beside the code are none of it.
    await mkdir(join(folder, "shards"));
    await writeFile(join(folder, "shards", "1.json"), "{}");
    assertEquals(await codeHere(root), clean);
    assertEquals(await codeHere(asRoot(join(folder, "shards"))), UNKNOWN, "inside another repository");

    await appendFile(file, "two\n");
    const changed = await codeHere(root), settings = ["diff.noprefix", "diff.context", "color.ui"];
    for (const [at, value] of ["true", "9", "always"].entries()) {
      await git(folder, "config", settings[at], value);
    }
    assertEquals(await codeHere(root), changed, "whatever is configured");
    await appendFile(file, "three\n");
    const words = [clean, changed, await codeHere(root)].map(codeWord);
    assertEquals(new Set(words).size, 3);
    assertEquals(words[0], `${VERSION}@${clean.commit.slice(0, 12)}`);
    assertNotEquals(changed.changes, null);
    assertEquals(words[1], `${words[0]}+${changed.changes!.slice(0, 12)}`);
  }));

Deno.test("code from a URL has a version and no commit", async () => {
  assertEquals(await codeHere(new URL("https://localhost/kdeformer/")), UNKNOWN);
});

Deno.test("a report says code, date and machine, and a line of other code is noted when it is repeated", async () => {
  const before = new Date().toISOString(), args = ["verify", "--claim", "gray-order", "--runs", "2"];
  const { code, started, machine, results } = JSON.parse((await cli(...args, "--json", "-")).stdout);
  assertEquals(code, await codeHere());
  assertEquals(before <= started && started <= new Date().toISOString(), true, started);
  assertEquals([machine.cores, machine.runtime], [
    navigator.hardwareConcurrency,
    `deno ${Deno.version.deno}`,
  ]);
  assertStringIncludes(machine.system, Deno.build.os);
  const words = results[0].replay.split(" "), own = words[words.indexOf("--code") + 1];
  assertEquals(own, codeWord(code));
  assertEquals((await cli(...args, "--code", own)).stderr, "");
  const other = await cli(...args, "--code", "0.0.9@0123456789ab");
  assertEquals([other.code, other.stderr], [
    0,
    `Note: this is kdeformer ${own}, not 0.0.9@0123456789ab: what it measures may differ\n`,
  ]);
});
