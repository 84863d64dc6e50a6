import type { DeviceKind } from "../kernels/backend.ts";
import { type Device, openDevice } from "../kernels/device.ts";
import { warn } from "./printable.ts";
import { readTuning } from "./tuning_file.ts";
import { usageOf } from "./usage_of.ts";

/**
 * Opens the device of a command, with what `doctor --tune` has found; warnings go to the error stream.
 *
 * @throws {UsageError} If it cannot have that many threads.
 */
export async function openCommandDevice(
  { device, threads }: { readonly device?: string; readonly threads?: number },
): Promise<Device> {
  const tuning = mayBeWebGpu(device) ? await readTuning(warn) : undefined;
  try {
    return await openDevice({ prefer: device as DeviceKind | undefined, threads, tuning, onWarning: warn });
  } catch (error) {
    if (!/\bthreads must\b/.test((error as Error).message)) throw error;
    return usageOf(() => {
      throw error;
    });
  }
}

/** Others have nothing to tune. */
function mayBeWebGpu(device: string | undefined): boolean {
  const { navigator } = globalThis as { navigator?: { gpu?: unknown } };
  return device === "webgpu" || (device === undefined && navigator?.gpu !== undefined);
}
