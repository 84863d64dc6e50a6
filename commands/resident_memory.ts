import { readFile, writeFile } from "node:fs/promises";

/**
 * Peak growth of the process's resident memory while a job runs, in bytes; null where the system does not say (it is read from
 * /proc, whose peak is set back first).
 */
export async function peakGrowth(job: () => Promise<void>): Promise<number | null> {
  try {
    await writeFile("/proc/self/clear_refs", "5");
    const before = await statusBytes("VmRSS");
    await job();
    return Math.max(0, await statusBytes("VmHWM") - before);
  } catch {
    return null;
  }
}

async function statusBytes(field: string): Promise<number> {
  const kilobytes = new RegExp(`${field}:\\s+(\\d+) kB`).exec(await readFile("/proc/self/status", "utf8"))
    ?.[1];
  if (kilobytes === undefined) throw new Error(`Cannot read ${field}`);
  return 1024 * Number(kilobytes);
}
