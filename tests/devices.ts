import { type Device, openDevice } from "../kernels/device.ts";
import { type DeviceKind, deviceKinds } from "../kernels/device_kinds.ts";
import { webgpuTest } from "./backends.ts";

/** Registers a test once for every kind of device, or for those that are named, each opened for it and disposed of after it. */
export function onEachDevice(
  name: string,
  body: (device: Device) => Promise<void>,
  kinds: readonly DeviceKind[] = deviceKinds,
): void {
  const run = (prefer: DeviceKind) => async () => {
    using device = await openDevice({ prefer });
    await body(device);
  };
  for (const kind of kinds.toReversed()) {
    if (kind === "webgpu") webgpuTest(name, run(kind));
    else Deno.test(`${name} [${kind}]`, run(kind));
  }
}
