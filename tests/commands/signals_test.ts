import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "../child.ts";
import { inFolder } from "./array_files.ts";

const child = fileURLToPath(new URL("endless_write_child.ts", import.meta.url));

/** Runs Deno until it has printed a whole line, sends it a signal, and gives what it leaves behind. */
async function interrupt(
  args: readonly string[],
  signal: Deno.Signal,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const process = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(process.stderr).text();
  let stdout = "";
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  for (let next = await reader.read(), sent = false; !next.done; next = await reader.read()) {
    stdout += next.value;
    if (!sent && stdout.includes("\n")) process.kill(signal);
    sent ||= stdout.includes("\n");
  }
  return { code: (await process.status).code, stdout, stderr: await stderr };
}

const signals = Deno.build.os === "windows" ? [] : [["SIGINT", 130], ["SIGTERM", 143]] as const;

for (const [signal, code] of signals) {
  Deno.test(`${signal} while a file is written leaves the old file, and no other`, async () => {
    await inFolder(async (folder) => {
      const path = join(folder, "o.npy"), flags = ["run", "--no-prompt", "--no-lock"];
      await writeFile(path, "old");
      const all = await interrupt([...flags, "--allow-read", "--allow-write", child, path], signal);
      assertEquals([all.code, all.stderr], [code, ""]);
      assertEquals(await readdir(folder), ["o.npy"]);
      assertEquals(await readFile(path, "utf8"), "old");

      const other = join(folder, "new.npy");
      const inPlace = await interrupt([...flags, `--allow-write=${other}`, child, other], signal);
      assertEquals([inPlace.code, inPlace.stderr], [code, ""]);
      assertEquals(await readdir(folder), ["o.npy"]);
    });
  });

  Deno.test(`${signal} has verify write what there is, marked incomplete`, async () => {
    await inFolder(async (folder) => {
      const json = join(folder, "a.json");
      const command = [
        "run",
        "-A",
        "--no-lock",
        "cli.ts",
        "verify",
        "--claim",
        "merge-identity",
        "--runs",
        "200000",
      ];
      const { code: found, stdout, stderr } = await interrupt([...command, "--json", json], signal);
      assertEquals(found, code);
      assertStringIncludes(stderr, "INCOMPLETE: interrupted when ");
      const { interrupted: { done, of: all }, results } = JSON.parse(await readFile(json, "utf8"));
      assertEquals(results.length, done);
      assert(done >= 1 && done < all, `${done} of ${all}`);
      assertEquals(stdout.split("\n").filter((line) => line.includes("cli.ts verify")).length, done);
      assertEquals(await readdir(folder), ["a.json"]);
    });
  });
}
