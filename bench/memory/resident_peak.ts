import { readFile } from "node:fs/promises";

/** Milliseconds between two looks. */
const EVERY = 10;

/**
 * Runs Deno and tells the largest resident set of the process, as its status under /proc has it when looked at last:
 * that is a maximum itself, so that only what is allocated in the last moment may be missed. Null without /proc.
 *
 * @throws {Error} If the process fails.
 */
export async function residentPeak(
  args: readonly string[],
): Promise<{ peak: number | null; output: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let peak: number | null = null, ended = false;
  const finished = child.output().finally(() => ended = true);
  while (!ended) {
    const status = await readFile(`/proc/${child.pid}/status`, "utf8").catch(() => "");
    const found = /VmHWM:\s+(\d+) kB/.exec(status);
    if (found) peak = Math.max(peak ?? 0, 1024 * Number(found[1]));
    await new Promise((resolve) => setTimeout(resolve, EVERY));
  }
  const { code, stdout } = await finished;
  if (code !== 0) throw new Error(`Cannot measure memory: deno ${args.join(" ")} ended with ${code}`);
  return { peak, output: new TextDecoder().decode(stdout) };
}
