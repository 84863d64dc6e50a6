import os from "node:os";
import process from "node:process";
import { machineHere } from "../commands/machine_here.ts";
import { describeAdapter, requestAdapter } from "../kernels/webgpu/engine/adapter.ts";

/** The machine and the versions of what runs on it, in one line. */
export async function machine(): Promise<string> {
  const { deno, v8 } = process.versions as Record<string, string>;
  const { processor, cores } = machineHere();
  const memory = Math.round(os.totalmem() / 2 ** 30);
  const webgpu = await requestAdapter().then(
    (adapter) => {
      const { name, software } = describeAdapter(adapter);
      return software ? `${name}, emulated on the processor` : name;
    },
    () => "no adapter",
  );
  return `${
    processor ?? "unknown processor"
  }, ${cores} cores, ${memory} GiB; ${process.platform} ${process.arch}; ` +
    `Deno ${deno}, V8 ${v8}; WebGPU: ${webgpu}`;
}
