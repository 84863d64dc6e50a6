import process from "node:process";
import type { Backend } from "../kernels/backend.ts";
import { ReferenceBackend } from "../kernels/reference/backend.ts";
import { openWasm } from "../kernels/wasm/backend.ts";
import { openWebGpu, WebGpuBackend } from "../kernels/webgpu/backend.ts";
import type { AttendKernel } from "../kernels/webgpu/tuning.ts";
import { describeAdapter, requestAdapter, requestDevice } from "../kernels/webgpu/engine/adapter.ts";
import { SUBGROUPS } from "../kernels/webgpu/engine/subgroups.ts";

/** Whether a WebGPU adapter answers here. Asked once. */
export const webgpuAvailable: boolean = Boolean(await navigator.gpu?.requestAdapter());

/** Set on machines that must not pass without having run the WebGPU tests. */
const required = process.env.KDEFORMER_REQUIRE_WEBGPU === "1";

/** Set to give the kernels of all tests the shapes that GPUs get: it takes longer, and is for those who change these. */
const asGpu = process.env.KDEFORMER_TEST_AS_GPU === "1";

if (!webgpuAvailable && !required) {
  console.warn(
    "SKIPPING every WebGPU test: no adapter (on Debian: apt-get install mesa-vulkan-drivers libvulkan1)",
  );
}

/** Registers a test that needs WebGPU: ignored, with a warning, where there is no adapter. */
export function webgpuTest(name: string, body: (t: Deno.TestContext) => Promise<void> | void): void {
  Deno.test({ name: `${name} [webgpu]`, ignore: !webgpuAvailable && !required, fn: body });
}

/** Registers a test once for every backend, each opened for it and destroyed after it. */
export function onEachBackend(name: string, body: (backend: Backend) => Promise<void>): void {
  Deno.test(`${name} [reference]`, () => body(new ReferenceBackend()));
  Deno.test(`${name} [wasm]`, () => withBackend(openWasm, body));
  webgpuTest(name, () => withBackend(asGpu ? openAsGpu : openWebGpu, body));
}

/** The kernels for attention that an adapter here can run. Deno's has no subgroups, Dawn's may. */
export const attendKernels: readonly AttendKernel[] = [
  "registers",
  "tiles",
  ...(await navigator.gpu?.requestAdapter())?.features.has(SUBGROUPS) ? ["subgroups" as const] : [],
];

/** What answers here, taken for a GPU: kernels get the shapes that they have there. */
export async function openAsGpu(): Promise<WebGpuBackend> {
  const adapter = await requestAdapter(), description = describeAdapter(adapter);
  // Dawn has subgroups, Deno has none.
  const features = adapter.features.has(SUBGROUPS) ? [SUBGROUPS] : [], subgroups = features.length > 0;
  const device = await requestDevice(adapter, features);
  return new WebGpuBackend(device, { ...description, software: false }, { subgroups });
}

async function withBackend(
  open: () => Promise<Backend>,
  body: (backend: Backend) => Promise<void>,
): Promise<void> {
  const backend = await open();
  try {
    await body(backend);
  } finally {
    backend.destroy();
  }
}
