import type { Unit } from "./kernels/kernel_case.ts";
import { wasmCeiling } from "./ceiling/wasm.ts";
import { webGpuCeiling } from "./ceiling/webgpu.ts";

/** How often; the largest counts, since whatever else the machine does makes it less. */
const TIMES = 3;

/** The most that a device was seen to do, in units of 1e9 a second. */
export type Ceiling = Readonly<Record<Unit, number>>;

/**
 * What the machine can do: multiply-adds that wait for nothing, and a copy between two arrays.
 *
 * @param threads Of WebAssembly.
 * @param copiedBytes Bytes of each of the two arrays.
 */
export async function measureCeiling(
  kind: "wasm" | "webgpu",
  threads: number,
  copiedBytes: number,
): Promise<Ceiling> {
  let flops = 0, bytes = 0;
  for (let time = 0; time < TIMES; time++) {
    const found = await (kind === "wasm" ? wasmCeiling(threads, copiedBytes) : webGpuCeiling(copiedBytes));
    flops = Math.max(flops, found.flops);
    bytes = Math.max(bytes, found.bytes);
  }
  return { "GFLOP/s": flops / 1e9, "GB/s": bytes / 1e9 };
}
