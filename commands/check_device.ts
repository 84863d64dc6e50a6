import { checkOneOf } from "./arguments.ts";

const devices = ["webgpu", "wasm", "reference"];

/** Refuses a device that there is not. */
export function checkDevice(device: string | undefined): void {
  checkOneOf("device", device, devices);
}
