import { deviceKinds } from "../kernels/device_kinds.ts";
import { checkOneOf } from "./arguments.ts";

/** Refuses a device that there is not. */
export function checkDevice(device: string | undefined): void {
  checkOneOf("device", device, deviceKinds);
}
