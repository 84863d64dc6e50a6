import { readFile } from "node:fs/promises";
import { isGranted } from "../files/permissions.ts";

/**
 * Bytes of this process's resident memory, as Linux tells under /proc: what it has now, or had at most. The maximum
 * that `process.resourceUsage` tells would not do: a process inherits that of the one that started it.
 *
 * @throws {Error} On other systems, with the code ENOENT, and where Deno does not let it be read.
 */
export async function residentBytes(what: "now" | "most"): Promise<number> {
  const path = "/proc/self/status";
  if (!isGranted({ name: "read", path })) throw new Error(`Cannot read ${path}: permission denied by Deno`);
  const field = what === "now" ? "VmRSS" : "VmHWM";
  const line = new RegExp(`${field}:\\s+(\\d+) kB`).exec(await readFile(path, "utf8"));
  if (!line) throw new Error(`Cannot read ${field}`);
  return 1024 * Number(line[1]);
}
