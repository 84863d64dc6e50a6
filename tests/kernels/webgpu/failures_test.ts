import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { DeviceLostError, DeviceUnavailableError } from "../../../kernels/errors.ts";
import { openDevice } from "../../../kernels/device.ts";
import { requestAdapter, requestDevice } from "../../../kernels/webgpu/engine/adapter.ts";
import { openWebGpu, type WebGpuBackend } from "../../../kernels/webgpu/backend.ts";
import { KernelError } from "../../../kernels/webgpu/engine/kernel_error.ts";
import { Recorder } from "../../../kernels/webgpu/engine/recorder.ts";
import { attention, type AttentionResult, tensor } from "../../../mod.ts";
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

/** An adapter with some name and features, as far as it is looked at before a device is asked for. */
function adapterOf(description: string, features: string[]): GPU {
  const adapter = { info: { description }, features: new Set(features), limits: {} };
  return { requestAdapter: () => Promise.resolve(adapter) } as unknown as GPU;
}

Deno.test("Mesa's CPU driver behind OpenGL is refused with a reason, and nothing else is", async () => {
  const refused = adapterOf("llvmpipe (LLVM 17.0.1, 128 bits)", ["texture-compression-etc2"]);
  const error = await assertRejects(() => requestAdapter(refused), DeviceUnavailableError);
  assertMatch(error.message, /llvmpipe .* by OpenGL.*install a Vulkan driver/);
  for (
    const gpu of [adapterOf("llvmpipe", ["shader-f16"]), adapterOf("a phone", ["texture-compression-etc2"])]
  ) {
    assert(await requestAdapter(gpu));
  }
});

Deno.test("an adapter that is refused or never given is a DeviceUnavailableError with its cause", async () => {
  const cause = new Error("blocked"), gpu = { requestAdapter: () => Promise.reject(cause) } as unknown as GPU;
  const error = await assertRejects(() => openDevice({ prefer: "webgpu", gpu }), DeviceUnavailableError);
  assertEquals([error.cause, error.message.endsWith("blocked")], [cause, true]);
  const silent = { requestAdapter: () => new Promise(() => {}) } as unknown as GPU;
  const options = { prefer: "webgpu", gpu: silent, timeoutSeconds: 0.2 } as const;
  await assertRejects(() => openDevice(options), DeviceUnavailableError, "no progress for 0.2 s");
});

webgpuTest("a driver that never gives a result back is given up at the deadline", async () => {
  const { gpu, devices } = capturingGpu(), { mapAsync } = GPUBuffer.prototype;
  GPUBuffer.prototype.mapAsync = () => new Promise(() => {});
  try {
    const opening = openDevice({ prefer: "webgpu", gpu, timeoutSeconds: 0.5 });
    await assertRejects(() => opening, DeviceUnavailableError, "no progress for 0.5 s");
  } finally {
    GPUBuffer.prototype.mapAsync = mapAsync;
  }
  // It was destroyed, so as to leave nothing behind.
  await devices[0].lost;
});

webgpuTest("a buffer that cannot be made rejects the call that wanted it, and no later one", async () => {
  const { gpu, devices } = capturingGpu();
  using device = await openDevice({ prefer: "webgpu", gpu });
  const [q, k, v] = [1, 2, 3].map((seed) => tensor(normals(seed, 600 * 20), [600, 20]));
  const call = (from = q) => attention(from, k, v, { method: "exact", device });
  const expected = (await call()).output, larger = tensor(normals(1, 5000 * 20), [5000, 20]);
  const make = devices[0].createBuffer.bind(devices[0]);
  let failing = 1;
  devices[0].createBuffer = (descriptor) =>
    make(failing-- > 0 ? { ...descriptor, size: 2 ** 41 } : descriptor);
  const [first, second, third] = await Promise.allSettled([call(larger), call(), call(larger)]);
  assertEquals([first.status, second.status, third.status], ["rejected", "fulfilled", "fulfilled"]);
  assertEquals((second as PromiseFulfilledResult<AttentionResult>).value.output, expected);
  assertMatch(String((first as PromiseRejectedResult).reason), /refused the work|too little memory/);
});

webgpuTest("a device that is lost during a call rejects it, and the next call has another one", async () => {
  const { gpu, devices } = capturingGpu(), warnings: string[] = [];
  const onWarning = (message: string) => void warnings.push(message);
  using device = await openDevice({ prefer: "webgpu", gpu, onWarning });
  const [q, k, v] = [1, 2, 3].map((seed) => tensor(normals(seed, 70 * 9), [70, 9]));
  const call = () => attention(q, k, v, { method: "exact", device });
  const { output } = await call(), lost = call();
  devices[0].destroy();
  await assertRejects(() => lost, DeviceLostError);
  assertEquals([(await call()).output, devices.length, warnings.length], [output, 2, 1]);
  // Between two calls nobody hears of it but by the warning.
  devices[1].destroy();
  await devices[1].lost;
  assertEquals([(await call()).output, devices.length, warnings.length], [output, 3, 2]);
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
