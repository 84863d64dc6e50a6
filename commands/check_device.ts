import { UsageError } from "./arguments.ts";

const devices = ["webgpu", "wasm", "reference"];

/** Refuses a device that there is not. */
export function checkDevice(device: string | undefined): void {
  if (device !== undefined && !devices.includes(device)) {
    throw new UsageError(`--device must be one of ${devices.join(", ")}: got "${device}"`);
  }
}
