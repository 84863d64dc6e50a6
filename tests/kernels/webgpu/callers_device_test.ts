import { assertEquals, assertRejects } from "@std/assert";
import { DeviceUnavailableError } from "../../../kernels/errors.ts";
import { attention, deviceKinds, openDevice, tensor } from "../../../mod.ts";
import { webgpuTest } from "../../backends.ts";
import { normals } from "../../data.ts";

const [q, k, v] = [5, 6, 7].map((seed) => tensor(normals(seed, 90 * 12), [90, 12]));

/** A device of a caller, and what it hears of its own errors. */
async function callersDevice(): Promise<{ gpuDevice: GPUDevice; heard: string[] }> {
  const gpuDevice = await (await navigator.gpu.requestAdapter())!.requestDevice(), heard: string[] = [];
  gpuDevice.addEventListener("uncapturederror", (event) => {
    event.preventDefault();
    heard.push(event.error.message);
  });
  return { gpuDevice, heard };
}

webgpuTest("a caller's own device computes, and goes on after the disposal", async () => {
  const { gpuDevice, heard } = await callersDevice();
  const expected = await attention(q, k, v, { method: "exact", device: "webgpu" });
  {
    using device = await openDevice({ gpuDevice });
    assertEquals(device.kind, "webgpu");
    assertEquals((await attention(q, k, v, { method: "exact", device })).output, expected.output);
  }
  const buffer = gpuDevice.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ });
  await buffer.mapAsync(GPUMapMode.READ);
  assertEquals(buffer.getMappedRange().byteLength, 16);
  assertEquals(heard, []);
  gpuDevice.destroy();
});

webgpuTest("errors of a caller's own work on its device are the caller's, and fail no call", async () => {
  const { gpuDevice, heard } = await callersDevice();
  using device = await openDevice({ gpuDevice });
  const call = attention(q, k, v, { method: "exact", device });
  // No buffer may be mapped for reading and be bound as well.
  gpuDevice.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
  assertEquals((await call).output.shape, [90, 12]);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(heard.length, 1);
  gpuDevice.destroy();
});

webgpuTest("a caller's device that is gone is no device", async () => {
  const { gpuDevice } = await callersDevice();
  gpuDevice.destroy();
  await gpuDevice.lost;
  await assertRejects(() => openDevice({ gpuDevice }), DeviceUnavailableError, "lost");
});

webgpuTest("a caller's device goes with no other kind", async () => {
  const { gpuDevice, heard } = await callersDevice();
  for (const prefer of deviceKinds.filter((kind) => kind !== "webgpu")) {
    await assertRejects(
      () => openDevice({ gpuDevice, prefer }),
      RangeError,
      `Cannot open a device: prefer must be webgpu where a gpuDevice is given: current value is ${prefer}`,
    );
  }
  using device = await openDevice({ gpuDevice, prefer: "webgpu" });
  assertEquals((await attention(q, k, v, { method: "exact", device })).stats.device, "webgpu");
  assertEquals(heard, []);
  gpuDevice.destroy();
});
