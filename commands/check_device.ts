import { deviceKinds } from "../kernels/check_open_device.ts";
import { checkOneOf } from "./arguments.ts";

/** Refuses a device that there is not. */
export function checkDevice(device: string | undefined): void {
  checkOneOf("device", device, deviceKinds);
}
