import { unfitName } from "./check_values.ts";
import { deviceKinds } from "./device_kinds.ts";
import { Device } from "./device.ts";

/**
 * Refuses what is neither an open device nor a kind of device.
 *
 * @throws {TypeError} If it is nothing of the sort.
 * @throws {RangeError} If it is the name of no kind.
 */
export function checkDevice(action: string, name: string, value: unknown): void {
  if (value instanceof Device || (deviceKinds as readonly unknown[]).includes(value)) return;
  throw unfitName(action, name, `one that openDevice() gave, or one of ${deviceKinds.join(", ")}`, value);
}
