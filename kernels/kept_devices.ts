import type { DeviceKind } from "./backend.ts";
import { Device, openDevice } from "./device.ts";

/** Devices opened for callers who brought none, by kind; opened once and kept. */
const kept = new Map<DeviceKind | "best", Promise<Device>>();

/** The device that a caller's `device` option stands for. */
export function deviceFor(choice?: Device | DeviceKind): Promise<Device> {
  if (choice instanceof Device) return Promise.resolve(choice);
  const kind = choice ?? "best";
  let device = kept.get(kind);
  if (!device) {
    device = openDevice({ prefer: choice });
    kept.set(kind, device);
    device.catch(() => kept.delete(kind));
  }
  return device;
}
