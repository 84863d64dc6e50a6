import process from "node:process";
import type { DeviceKind } from "../kernels/backend.ts";
import { type Device, openDevice } from "../kernels/device.ts";
import { type AdapterDescription, describeAdapter, requestAdapter } from "../kernels/webgpu/adapter.ts";
import { describeOptions, readOptions } from "./arguments.ts";

const options = {
  json: { kind: "flag", help: "print one JSON object" },
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
    const { json } = readOptions("doctor", options, args);
    const findings: Finding[] = [];
    for (const kind of ["webgpu", "wasm", "reference"] as const) findings.push(await examine(kind));
    using best = await openDevice({ onWarning: () => {} });
    const adapter = await requestAdapter().then(describeAdapter, () => null);
    const report = {
      command: "doctor",
      runtime: runtimeName(),
      best: best.kind,
      devices: findings,
      webgpu: adapter,
      advice: betterDeviceAdvice(best),
    };
    process.stdout.write(json ? `${JSON.stringify(report)}\n` : describe(report, adapter));
    return 0;
  },
};

async function examine(kind: DeviceKind): Promise<Finding> {
  try {
    using device = await openDevice({ prefer: kind, onWarning: () => {} });
    return { device: kind, works: true, adapter: device.adapter, software: device.software, problem: null };
  } catch (error) {
    return { device: kind, works: false, adapter: null, software: false, problem: (error as Error).message };
  }
}

function runtimeName(): string {
  const { versions } = process as { versions: Record<string, string | undefined> };
  const name = versions.deno ? "deno" : versions.bun ? "bun" : "node";
  return `${name} ${versions[name]} on ${process.platform} ${process.arch}`;
}

function describe(
  report: { runtime: string; best: DeviceKind; devices: Finding[]; advice: string },
  adapter: AdapterDescription | null,
): string {
  const lines = [`Runtime    ${report.runtime}`];
  for (const { device, works, adapter: name, software, problem } of report.devices) {
    const state = works ? `${name}${software ? " (emulated on the CPU)" : ""}; self test passed` : problem;
    lines.push(`${works ? "✓" : "✗"} ${device.padEnd(9)}${state}`);
  }
  lines.push(`Best       ${report.best}`, "");
  if (adapter) {
    lines.push("WebGPU limits");
    for (const [limit, value] of Object.entries(adapter.limits)) lines.push(`  ${limit.padEnd(36)} ${value}`);
    lines.push(`WebGPU features\n  ${adapter.features.join(", ") || "none"}`, "");
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
