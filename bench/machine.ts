import os from "node:os";
import process from "node:process";
import { machineHere } from "../commands/machine_here.ts";
import { describeAdapter, requestAdapter } from "../kernels/webgpu/engine/adapter.ts";
import { machineWords } from "../proofs_checks/engine/origin.ts";

/** The machine and the versions of what runs on it, in one line. */
export async function machine(): Promise<string> {
  const memory = Math.round(os.totalmem() / 2 ** 30);
  const webgpu = await requestAdapter().then(
    (adapter) => {
      const { name, software } = describeAdapter(adapter);
      return software ? `${name}, emulated on the processor` : name;
    },
    () => "no adapter",
  );
  return `${machineWords(machineHere())}; V8 ${process.versions.v8}; ${memory} GiB; WebGPU: ${webgpu}`;
}
