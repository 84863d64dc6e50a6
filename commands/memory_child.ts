/**
 * Prints by how many bytes resident memory grows at most while one problem is attended in a process that has done nothing else:
 * `memory_child.ts '{"workload": …, "n": …, "seed": …, "device": …, "options": …}'`, or with `"shapes"` in the place of the first three, whose
 * numbers then come as f32 on the standard input. It is read from /proc, whose peak is set back
 * first; `null` is printed where the system does not have it.
 */
import { writeFile } from "node:fs/promises";
import { Buffer } from "node:buffer";
import process from "node:process";
import { attention } from "../estimators/attention/attention.ts";
import { openDevice } from "../kernels/device.ts";
import { sizeOf, tensor } from "../kernels/tensor.ts";
import type { AttentionInput } from "../proofs_checks/inputs/family.ts";
import { residentBytes } from "./resident_memory.ts";
import { loadWorkload } from "../workloads/workloads.ts";

const { workload, n, seed, shapes, device: prefer, options } = JSON.parse(process.argv[2]);
const { query, key, value, scale } = shapes
  ? await readInput(shapes)
  : await loadWorkload(workload, { n, seed });
let growth: number | null = null;
try {
  await writeFile("/proc/self/clear_refs", "5");
  const before = await residentBytes("now");
  using device = await openDevice({ prefer });
  await attention(query, key, value, { scale, ...options, device });
  growth = Math.max(0, await residentBytes("most") - before);
} catch (error) {
  if ((error as { code?: string }).code !== "ENOENT") throw error;
}
process.stdout.write(`${JSON.stringify(growth)}\n`);

/** Tensors of these shapes from the standard input, one after another. */
async function readInput(
  shapes: readonly (readonly number[])[],
): Promise<Omit<AttentionInput, "scale"> & { scale?: number }> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const { buffer, byteOffset, byteLength } = Buffer.concat(chunks),
    all = new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
  let at = 0;
  const [query, key, value] = shapes.map((shape) => tensor(all.subarray(at, at += sizeOf(shape)), shape));
  return { query, key, value };
}
