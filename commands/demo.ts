import process from "node:process";
import { describeOptions, type OptionValues, readOptions } from "./arguments.ts";
import { attendInputs, toTable } from "./attend.ts";
import { betterDeviceAdvice } from "./doctor.ts";
import { openCommandDevice } from "./open_device.ts";
import { openProgress } from "./progress.ts";
import { loadWorkload } from "../workloads/workloads.ts";
import { deviceKindsInWords } from "../kernels/device_kinds.ts";

const options = {
  n: { kind: "integer", value: "N", help: "tokens (4096)" },
  device: { kind: "text", value: "DEVICE", help: `${deviceKindsInWords} (the best there is)` },
} as const;

/** `demo`: KDEformer against exact attention on a head of a pretrained sentence encoder. */
export const demo = {
  summary: "KDEformer against exact attention on a pretrained head",
  help: (): string => `Usage: cli.ts demo [options]\n\n${describeOptions(options)}\n`,
  async run(args: readonly string[]): Promise<number> {
    const given: OptionValues<typeof options> = readOptions("demo", options, args);
    const progress = await openProgress();
    try {
      const workload = await loadWorkload("sentence-encoder", {
        n: given.n ?? 4096,
        onProgress: progress.update,
      });
      using device = await openCommandDevice(given);
      const request = { method: "kdeformer-practical", "compare-exact": true } as const;
      const report = await attendInputs(workload, request, device, progress.update);
      await progress.finish();
      process.stdout.write(`${toTable(workload, report)}\n\n${betterDeviceAdvice(device)}\n`);
      return 0;
    } finally {
      await progress.finish();
    }
  },
};
