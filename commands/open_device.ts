import process from "node:process";
import type { DeviceKind } from "../kernels/backend.ts";
import { type Device, openDevice } from "../kernels/device.ts";
import { readTuning } from "./tuning_file.ts";

/** Opens the device of a command, with what `doctor --tune` has found; warnings go to the error stream. */
export async function openCommandDevice(
  { device, threads }: { readonly device?: string; readonly threads?: number },
): Promise<Device> {
  const warn = (message: string) => void process.stderr.write(`${message}\n`);
  return await openDevice({
    prefer: device as DeviceKind | undefined,
    threads,
    tuning: await readTuning(warn),
    onWarning: warn,
  });
}
