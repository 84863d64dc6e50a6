/**
 * Prints by how many bytes resident memory grows at most while one problem is attended in a process that has done nothing else:
 * `memory_child.ts '{"workload": …, "n": …, "seed": …, "device": …, "options": …}'`. It is read from /proc, whose peak is set back
 * first; `null` is printed where the system does not have it.
 */
import { writeFile } from "node:fs/promises";
import process from "node:process";
import { attention } from "../estimators/attention/attention.ts";
import { openDevice } from "../kernels/device.ts";
import { residentBytes } from "./resident_memory.ts";
import { loadWorkload } from "../workloads/workloads.ts";

const { workload, n, seed, device: prefer, options } = JSON.parse(process.argv[2]);
const { query, key, value, scale } = await loadWorkload(workload, { n, seed });
let growth: number | null = null;
try {
  await writeFile("/proc/self/clear_refs", "5");
  const before = await residentBytes("now");
  using device = await openDevice({ prefer });
  await attention(query, key, value, { ...options, scale, device });
  growth = Math.max(0, await residentBytes("most") - before);
} catch (error) {
  if ((error as { code?: string }).code !== "ENOENT") throw error;
}
process.stdout.write(`${JSON.stringify(growth)}\n`);
