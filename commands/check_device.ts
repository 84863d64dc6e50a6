import { deviceKinds } from "../kernels/device_kinds.ts";
import { UsageError } from "./arguments.ts";

/** Refuses a device that there is not. */
export function checkDevice(device: string | undefined): void {
  if (device !== undefined && !(deviceKinds as readonly string[]).includes(device)) {
    throw new UsageError(`--device must be one of ${deviceKinds.join(", ")}: got "${device}"`);
  }
}
