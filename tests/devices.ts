import { type Device, openDevice } from "../kernels/device.ts";
import type { DeviceKind } from "../kernels/backend.ts";
import { webgpuTest } from "./backends.ts";

/** Registers a test once for every kind of device, each opened for it and disposed of after it. */
export function onEachDevice(name: string, body: (device: Device) => Promise<void>): void {
  const run = (prefer: DeviceKind) => async () => {
    using device = await openDevice({ prefer });
    await body(device);
  };
  Deno.test(`${name} [reference]`, run("reference"));
  Deno.test(`${name} [wasm]`, run("wasm"));
  webgpuTest(name, run("webgpu"));
}
