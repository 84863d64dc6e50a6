import process from "node:process";
import { type DeviceKind, deviceKinds } from "../kernels/device_kinds.ts";
import { type Device, openDevice, runJob } from "../kernels/device.ts";
import { selfTest } from "../kernels/self_test.ts";
import {
  type AdapterDescription,
  describeAdapter,
  requestAdapter,
} from "../kernels/webgpu/engine/adapter.ts";
import type { Tuning } from "../kernels/webgpu/tuning.ts";
import { describeOptions, readOptions, UsageError } from "./arguments.ts";
import { runtimeName } from "./machine_here.ts";
import { openOutputs } from "./outputs.ts";
import { jsonLine } from "./printable.ts";
import { keepTuning, prepareTuning } from "./tuning_file.ts";

const options = {
  tune: {
    kind: "text",
    value: "DxDV",
    help:
      "measure the attention kernels on WebGPU for these widths (64x64), and keep the fastest for all commands",
  },
  json: {
    kind: "target",
    value: "[FILE]",
    help: "write one JSON object; without FILE or with - to the output, and nothing else there",
  },
} as const;

interface Finding {
  readonly device: DeviceKind;
  readonly works: boolean;
  readonly adapter: string | null;
  /** Software adapters are slower than wasm and only used when asked for. */
  readonly software: boolean;
  /** Why it does not work, or null. */
  readonly problem: string | null;
}

/** `doctor`: which devices work here, and what is missing. */
export const doctor = {
  summary: "devices found, limits, self tests, and what is missing",
  help: (): string => `Usage: cli.ts doctor [options]\n\n${describeOptions(options)}\n`,
  async run(args: readonly string[]): Promise<number> {
    const { json, tune } = readOptions("doctor", options, args), widths = tune && readWidths(tune);
    const outputs = await openOutputs({ json }), file = widths ? await prepareTuning() : "";
    const findings: Finding[] = [];
    for (const kind of deviceKinds) findings.push(await examine(kind));
    using best = await openDevice({ onWarning: () => {} });
    const tuning = widths ? await measure(widths, file) : null;
    const adapter = await requestAdapter().then(describeAdapter, () => null);
    const report = {
      command: "doctor",
      runtime: `${runtimeName()} on ${process.platform} ${process.arch}`,
      best: best.kind,
      devices: findings,
      webgpu: adapter,
      tuning,
      advice: betterDeviceAdvice(best),
    };
    outputs.print(describe(report, adapter));
    if (json !== undefined) await outputs.write("json", jsonLine(report));
    return 0;
  },
};

async function examine(kind: DeviceKind): Promise<Finding> {
  try {
    using device = await openDevice({ prefer: kind, onWarning: () => {} });
    // Opening tests what most methods are made of; here every primitive is.
    await runJob(device, (backend) => selfTest(backend));
    return { device: kind, works: true, adapter: device.adapter, software: device.software, problem: null };
  } catch (error) {
    return { device: kind, works: false, adapter: null, software: false, problem: (error as Error).message };
  }
}

/** Widths of queries and values, as in 64x64. */
function readWidths(text: string): [number, number] {
  const [, features, values] = text.match(/^([1-9]\d*)x([1-9]\d*)$/) ?? [];
  if (!features) throw new UsageError(`--tune must be two widths such as 64x64: got "${text}"`);
  return [Number(features), Number(values)];
}

async function measure(
  [features, values]: [number, number],
  file: string,
): Promise<Tuning & { file: string }> {
  using device = await openDevice({ prefer: "webgpu" });
  const found = (await device.tune(features, values))!;
  await keepTuning(file, found);
  return { ...found, file };
}

function describe(
  report: {
    runtime: string;
    best: DeviceKind;
    devices: Finding[];
    tuning: Tuning & { file: string } | null;
    advice: string;
  },
  adapter: AdapterDescription | null,
): string {
  const lines = [`Runtime     ${report.runtime}`];
  for (const { device, works, adapter: name, software, problem } of report.devices) {
    const state = works ? `${name}${software ? " (emulated on the CPU)" : ""}; self test passed` : problem;
    lines.push(`${works ? "✓" : "✗"} ${device.padEnd(9)} ${state}`);
  }
  lines.push(`Best        ${report.best}`, "");
  if (adapter) {
    lines.push("WebGPU limits");
    for (const [limit, value] of Object.entries(adapter.limits)) lines.push(`  ${limit.padEnd(36)} ${value}`);
    lines.push(`WebGPU features\n  ${adapter.features.join(", ") || "none"}`, "");
  }
  if (report.tuning) {
    const { tiles, file } = report.tuning;
    lines.push(`Fastest attention kernels, kept in ${file}`);
    for (const [widths, { kernel, lanes, size }] of Object.entries(tiles)) {
      const tile = {
        tiles: `${size} keys in workgroup memory`,
        registers: `${size} query rows in registers`,
        subgroups: `${size} of which share query rows`,
      }[kernel];
      lines.push(`  ${widths.padEnd(12)} ${lanes} invocations, ${tile}`);
    }
    lines.push("");
  }
  return `${lines.join("\n")}\n${report.advice}\n`;
}

/** How to get a better device than this one, in a sentence. */
export function betterDeviceAdvice(device: Device): string {
  if (device.kind === "webgpu" && !device.software) {
    return "This is the best kind of device: a GPU through WebGPU.";
  }
  const gpu =
    "A GPU with a Vulkan, Metal or DirectX 12 driver, run in Deno, is used by itself (see: cli.ts doctor).";
  if (device.kind === "webgpu") {
    return `${gpu} On this adapter, which is emulated on the CPU, --device wasm is faster.`;
  }
  if (device.kind === "wasm") return gpu;
  return `${gpu} Without one, a runtime with WebAssembly SIMD is many times faster than the float64 reference.`;
}
