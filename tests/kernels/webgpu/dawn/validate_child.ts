// Run by dawn_test.ts: has Dawn validate what every case records, and prints a `Validation` as JSON.
import { describeAdapter, requestAdapter, requestDevice } from "../../../../kernels/webgpu/engine/adapter.ts";
import { WebGpuBackend } from "../../../../kernels/webgpu/backend.ts";
import { Recorder } from "../../../../kernels/webgpu/engine/recorder.ts";
import { attendWidths, possibleTiles, widthsOf } from "../../../../kernels/webgpu/operations/attend_tile.ts";
import { subgroupLanes, SUBGROUPS } from "../../../../kernels/webgpu/engine/subgroups.ts";
import { tunedCase } from "./attend_cases.ts";
import { brokenCases } from "./broken.ts";
import { everyCase } from "./cases.ts";
import { loadDawn } from "./dawn.ts";

/** What Dawn made of the cases. */
export interface Validation {
  /** File, entry point and constants of every pipeline that was made. */
  readonly pipelines: readonly string[];
  /** Features and files of the modules that enable any, such as `subgroups softmax_rows.wgsl`. */
  readonly enabled: readonly string[];
  /** Why cases were refused, each reason once. */
  readonly failures: readonly string[];
  /** Why each kernel that must be refused was. */
  readonly refusals: readonly string[];
}

const pipelines = new Set<string>(), enabled = new Set<string>(), gpu = await loadDawn("null");

async function open(features: GPUFeatureName[] = []): Promise<{ device: GPUDevice; adapter: GPUAdapter }> {
  const adapter = await requestAdapter(gpu), device = await requestDevice(adapter, features);
  const make = device.createComputePipelineAsync.bind(device);
  device.createComputePipelineAsync = async (descriptor) => {
    const pipeline = await make(descriptor);
    pipelines.add(descriptor.label!);
    return pipeline;
  };
  const compile = device.createShaderModule.bind(device);
  device.createShaderModule = (descriptor) => {
    const directives = descriptor.code.matchAll(/^enable (\w+);$/gm);
    for (const [, feature] of directives) enabled.add(`${feature} ${descriptor.label}`);
    return compile(descriptor);
  };
  return { device, adapter };
}

/** Why each case was refused: runs take the first error only, so each is one of its own. */
async function refusals<On extends { run(outputs: []): Promise<unknown>; reset(): void }>(
  on: On,
  cases: readonly ((on: On) => void)[],
): Promise<string[]> {
  const found = new Set<string>();
  for (const record of cases) {
    try {
      record(on);
      await on.run([]);
    } catch (error) {
      found.add((error as Error).message);
    }
    on.reset();
  }
  return [...found];
}

const failures: string[] = [];
/** Lanes of the largest subgroups. */
const MOST_LANES = 128;
// An adapter emulated on the CPU takes other shapes of workgroups, and the other kernel for attention.
for (
  const [software, subgroups] of [[true, false], [false, false], [true, true], [false, true]]
) {
  const { device, adapter } = await open(subgroups ? [SUBGROUPS] : []);
  const backend = new WebGpuBackend(device, { ...describeAdapter(adapter), software }, { subgroups });
  failures.push(...await refusals(backend, everyCase()));
  // The kernel that looks at subgroups: what it finds on a device that computes nothing is not what works.
  if (subgroups && await subgroupLanes(device)) {
    failures.push("subgroups that were never computed seem to work");
  }
  backend.destroy();
}
// Every tile that tuning may choose, for subgroups of any size.
{
  const { device, adapter } = await open([SUBGROUPS]), description = describeAdapter(adapter);
  for (const width of [16, 64, 128]) {
    const widths = attendWidths(width, width);
    for (const tile of possibleTiles(widths, device.limits, MOST_LANES)) {
      const tuning = { adapter: description.name, tiles: { [widthsOf(widths)]: tile } };
      const options = { tuning, subgroups: true, subgroupLanes: { fewest: MOST_LANES, usual: MOST_LANES } };
      const backend = new WebGpuBackend(device, description, options);
      failures.push(...await refusals(backend, [tunedCase(width)]));
    }
  }
  device.destroy();
}
const recorder = new Recorder((await open()).device, { software: false, largestArrayBytes: 2 ** 20 });
const refused = await refusals(recorder, brokenCases);
recorder.destroy();
console.log(
  JSON.stringify(
    {
      pipelines: [...pipelines],
      enabled: [...enabled],
      failures: [...new Set(failures)],
      refusals: refused,
    } satisfies Validation,
  ),
);
