import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { DeviceLostError, DeviceUnavailableError } from "../../../kernels/errors.ts";
import { requestAdapter, requestDevice } from "../../../kernels/webgpu/engine/adapter.ts";
import { openWebGpu, type WebGpuBackend } from "../../../kernels/webgpu/backend.ts";
import { KernelError } from "../../../kernels/webgpu/engine/kernel_error.ts";
import { Recorder } from "../../../kernels/webgpu/engine/recorder.ts";
import { webgpuAvailable, webgpuTest } from "../../backends.ts";
import { normals } from "../../data.ts";
import { capturingGpu } from "./capture.ts";

/** Records attention of `n` queries on as many keys. */
function recordAttention(backend: WebGpuBackend, n: number) {
  const rows = backend.upload(normals(1, n * 16));
  const shape = { heads: 1, queries: n, keys: n, features: 16, valueFeatures: 16 };
  return backend.attend({ ...shape, query: rows, key: rows, value: rows, scale: 0.25 });
}

Deno.test("openWebGpu() without an adapter says what to install", async () => {
  const gpu = { requestAdapter: () => Promise.resolve(null) } as unknown as GPU;
  const error = await assertRejects(() => openWebGpu({ gpu }), DeviceUnavailableError);
  assertMatch(error.message, /no adapter.*mesa-vulkan-drivers/);
});

webgpuTest("a refused kernel is reported as file, line, column and source", async () => {
  const device = await requestDevice(await requestAdapter());
  const recorder = new Recorder(device, { software: true, largestArrayBytes: 2 ** 20 });
  const source = "@compute @workgroup_size(1)\nfn main() {\n  let sum = 1.0 + true;\n}\n";
  const kernel = { file: "broken.wgsl", source: [source] };
  recorder.dispatch({ kernel, definitions: { SIZE: 4 }, parameters: {}, bindings: {}, workgroups: 1 });
  const error = await assertRejects(() => recorder.run([]), KernelError);
  // The line counts the definition put in front.
  assertMatch(error.message, /^Cannot compile broken\.wgsl:4:\d+: .*\n {2}let sum = 1\.0 \+ true;/s);
  recorder.destroy();
});

webgpuTest("a kernel without the entry point asked for is reported by name", async () => {
  const device = await requestDevice(await requestAdapter());
  const recorder = new Recorder(device, { software: true, largestArrayBytes: 2 ** 20 });
  const kernel = { file: "empty.wgsl", source: ["fn helper() {}"] };
  recorder.dispatch({ kernel, parameters: {}, bindings: {}, workgroups: 1 });
  const error = await assertRejects(() => recorder.run([]), KernelError);
  assertMatch(error.message, /^Cannot build the pipeline empty\.wgsl main/);
  recorder.destroy();
});

webgpuTest("work that the device refuses rejects the run, and the next one works", async () => {
  const device = await requestDevice(await requestAdapter());
  const recorder = new Recorder(device, { software: true, largestArrayBytes: 2 ** 20 });
  // One array may not be read and written by the same dispatch.
  const source = "@group(0) @binding(1) var<storage, read> source: array<u32>;\n" +
    "@group(0) @binding(2) var<storage, read_write> result: array<u32>;\n" +
    "@compute @workgroup_size(1) fn main() { result[0] = source[0]; }";
  const kernel = { file: "twice.wgsl", source: [source] }, array = recorder.array("word", 4, "an array");
  recorder.dispatch({ kernel, parameters: {}, bindings: { source: array, result: array }, workgroups: 1 });
  await assertRejects(() => recorder.run([]), Error, "The device refused the work");
  assertEquals(await recorder.run([recorder.upload(new Float32Array([7]))]), [new Float32Array([7])]);
  recorder.destroy();
});

webgpuTest("a device that goes away during a run rejects it with DeviceLostError", async () => {
  const { gpu, devices } = capturingGpu();
  const backend = await openWebGpu({ gpu });
  const { output } = recordAttention(backend, 64);
  const running = backend.run([output]);
  devices[0].destroy();
  await assertRejects(() => running, DeviceLostError);
  await assertRejects(() => backend.run([]), DeviceLostError);
  backend.reset();
  backend.destroy();
});

webgpuTest("a device that goes away after the submission rejects the run with DeviceLostError", async () => {
  const { gpu, devices } = capturingGpu();
  const backend = await openWebGpu({ gpu });
  await backend.run([recordAttention(backend, 8).output]);
  const running = backend.run([recordAttention(backend, 2048).output]);
  // The pipeline is there already, so that a few turns of the event loop are enough to submit.
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  devices[0].destroy();
  await assertRejects(() => running, DeviceLostError);
  backend.destroy();
});

webgpuTest("a destroyed backend refuses work", async () => {
  const backend = await openWebGpu();
  backend.destroy();
  await assertRejects(() => backend.run([]), DeviceLostError);
});

webgpuTest("an array beyond the limit is refused by name", async () => {
  const backend = await openWebGpu({ largestArrayBytes: 1024 });
  assertEquals(backend.largestArrayBytes, 1024);
  backend.upload(new Float32Array(256));
  const expected = "Cannot hold an upload on the device: it takes 1040 bytes but the largest array has 1024";
  assertThrows(() => backend.upload(new Float32Array(257)), RangeError, expected);
  assertThrows(() => recordAttention(backend, 65), RangeError, "1024");
  backend.destroy();
});

webgpuTest("an aborted run rejects with the signal's reason, and the next one works", async () => {
  const backend = await openWebGpu();
  const reason = new Error("changed my mind");
  const { output } = recordAttention(backend, 16);
  await assertRejects(() => backend.run([output], AbortSignal.abort(reason)), Error, "changed my mind");
  backend.reset();
  const controller = new AbortController();
  const running = backend.run([recordAttention(backend, 16).output], controller.signal);
  controller.abort(reason);
  await assertRejects(() => running, Error, "changed my mind");
  backend.reset();
  const [rows] = await backend.run([recordAttention(backend, 16).output]);
  assert(rows.every(Number.isFinite));
  backend.destroy();
});

Deno.test({
  name: "opening, running and destroying leaks neither operations nor resources [webgpu]",
  ignore: !webgpuAvailable,
  sanitizeOps: true,
  sanitizeResources: true,
  fn: async () => {
    const backend = await openWebGpu();
    await backend.run([recordAttention(backend, 16).output]);
    backend.reset();
    backend.destroy();
  },
});
