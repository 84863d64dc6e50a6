/**
 * Makes every pipeline that the project asks for in whole calls and for tiles of exact attention, each under its label in the
 * environment for layer.c, and writes the dispatches to OUT/runs.json. Nothing is computed: arrays take no memory, and
 * what is read back is 1 everywhere, but for what shapes depend on. The arguments are OUT and, where Dawn is to be taken in place
 * of Deno's WebGPU, its module: then some tiles alone, since they are what its subgroups are for.
 */
import { describeAdapter, requestAdapter, requestDevice } from "../../kernels/webgpu/engine/adapter.ts";
import type { GpuArray } from "../../kernels/webgpu/engine/array.ts";
import type { Kernel } from "../../kernels/webgpu/engine/kernel.ts";
import { PipelineCache } from "../../kernels/webgpu/engine/pipelines.ts";
import { SUBGROUPS } from "../../kernels/webgpu/engine/subgroups.ts";
import { Recorder, type Step } from "../../kernels/webgpu/engine/recorder.ts";
import { attend } from "../../kernels/webgpu/operations/attend.ts";
import { attendWidths, possibleTiles } from "../../kernels/webgpu/operations/attend_tile.ts";
import { WebGpuBackend } from "../../kernels/webgpu/backend.ts";
import { calls, runCall } from "./calls.ts";
import type { Dispatch, Run } from "./runs.ts";

const [out, dawn] = Deno.args, WIDTHS = [64, 128], ROWS = 4096;
/** Lanes that the largest subgroup may have, of which a kernel makes no use. */
const ANY_LANES = 64;
// Kept, or Dawn would be collected.
const gpu: GPU = dawn ? (await import(dawn)).create([]) : navigator.gpu;
Object.assign(globalThis, { gpu });
const adapter = await requestAdapter(gpu);
const device = await requestDevice(adapter, dawn ? [SUBGROUPS] : []);
const create = device.createComputePipeline.bind(device);
// The layer reads the label while the pipeline is made: one after the other.
device.createComputePipelineAsync = (descriptor) => {
  Deno.env.set("GPU_STATIC_LABEL", descriptor.label!);
  return Promise.resolve(create(descriptor));
};

const cache = new PipelineCache(device, Boolean(dawn)), pipelines: Promise<unknown>[] = [], runs: Run[] = [];
let dispatches: Dispatch[] = [];

/** What arrays are for. */
const names = new WeakMap<GpuArray, string>();

/** The parameters of the last dispatch of a kernel. */
function lastOf(file: string): Readonly<Record<string, number>> {
  return dispatches.findLast((one) => one.file === file)!.parameters;
}

/** What is read back of arrays on which the shapes of later dispatches depend: clusters are as large as each other, and so are lists. */
const answers: Readonly<Record<string, (queries: number) => (at: number) => number>> = {
  "the nearest centres": () => (at) => at % lastOf("nearest_centres.wgsl").centres,
  "the lengths of the lists": (queries) => () => Math.floor(lastOf("open_lists.wgsl").budget / queries),
};
/** Queries of a head of the call. */
let queries = 0;

/** Records steps, and computes nothing. */
const recorder = Recorder.prototype;
recorder.array = (type, length, name) => {
  const array = { type, length, buffer: {} as GPUBuffer };
  names.set(array, name);
  return array;
};
recorder.upload = (data) => recorder.array(data instanceof Float32Array ? "float" : "word", data.length, "");
recorder.reset = () => {};
recorder.run = async (outputs) => {
  await Promise.all(pipelines.splice(0));
  return outputs.map((output) => {
    const { type, length } = output, answer = answers[names.get(output as GpuArray)!]?.(queries) ?? (() => 1);
    const values = Array.from({ length }, (_, at) => answer(at));
    return type === "float" ? Float32Array.from(values) : Uint32Array.from(values);
  });
};
recorder.dispatch = (step: Step) => {
  const { kernel, entryPoint = "main", element = "", definitions, constants, workgroups, parameters } = step;
  if (workgroups === 0) return;
  const values = { ...definitions, ...constants };
  const label = [kernel.file, entryPoint, element, JSON.stringify(values)].join(" ");
  const invocations = invocationsOf(kernel, entryPoint, values);
  dispatches.push({ label, file: kernel.file, entryPoint, values, workgroups, invocations, parameters });
  pipelines.push(cache.pipeline(step));
};

/** Reads off the source how many invocations a workgroup has. */
function invocationsOf({ source }: Kernel, entryPoint: string, values: Record<string, number>): number {
  const text = source.map((part) => typeof part === "string" ? part : part.plain + part.subgroups).join("\n");
  const [, size] = new RegExp(`@workgroup_size\\(([^)]*)\\)\\s*fn ${entryPoint}\\b`).exec(text)!;
  return size.split(/[*,]/).map((factor) => values[factor.trim()] ?? parseInt(factor)).reduce((a, b) =>
    a * b
  );
}

async function record(title: string, work: () => Promise<unknown>): Promise<void> {
  dispatches = [];
  try {
    await work();
    runs.push({ title, dispatches });
  } catch (error) {
    console.error(`${title}: ${(error as Error).message}`);
  }
}

const backend = new WebGpuBackend(device, { ...describeAdapter(adapter), software: false }, {});
for (const call of dawn ? [] : calls) {
  queries = call.queries;
  await record(`${call.group}, ${call.name}`, () => runCall(backend, call));
}
const own = new Recorder(device, { software: false, largestArrayBytes: 2 ** 30 });
for (const d of WIDTHS) {
  const array: GpuArray = own.array("float", ROWS * d, "");
  const rows = { heads: 1, queries: ROWS, keys: ROWS, features: d, valueFeatures: d, scale: 0.1 };
  const possible = possibleTiles(attendWidths(d, d), adapter.limits, dawn ? ANY_LANES : 0);
  // Those with the largest workgroups are taken where nothing has been measured.
  const tiles = possible.filter(({ kernel, lanes }) =>
    kernel !== "registers" && (!dawn || lanes === (kernel === "tiles" ? 128 : 256))
  );
  for (const tile of tiles) {
    for (const halves of [undefined, { largestKey: 1, largestValue: 1 }].slice(0, dawn ? 1 : 2)) {
      const name = tile.kernel === "tiles"
        ? `${tile.lanes} x ${tile.size}`
        : `${tile.lanes}, ${tile.size} share rows`;
      await record(`tile d=${d} ${name}${halves ? ", f16" : ""}${dawn ? ", Dawn" : ""}`, async () => {
        attend(own, tile, { ...rows, halves, query: array, key: array, value: array });
        await own.run([]);
      });
    }
  }
}
await Deno.writeTextFile(`${out}/runs.json`, JSON.stringify(runs));
Deno.exit(0);
