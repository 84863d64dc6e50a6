import process from "node:process";
import { describeOptions, type OptionValues, readOptions } from "./arguments.ts";
import { attendInputs } from "./attend.ts";
import { toTable } from "./attend_report.ts";
import { betterDeviceAdvice } from "./doctor.ts";
import { checkDevice } from "./check_device.ts";
import { checkAtLeast, DEFAULT_SEED, loadNamed } from "./input_options.ts";
import { openCommandDevice } from "./open_device.ts";
import { printable } from "./printable.ts";
import { openProgress } from "./progress.ts";

const options = {
  n: { kind: "integer", value: "N", help: "tokens (4096)" },
  device: { kind: "text", value: "DEVICE", help: "webgpu, wasm or reference (the best there is)" },
} as const;

/** `demo`: KDEformer against exact attention on a head of a pretrained sentence encoder. */
export const demo = {
  summary: "KDEformer against exact attention on a pretrained head",
  help: (): string => `Usage: cli.ts demo [options]\n\n${describeOptions(options)}\n`,
  async run(args: readonly string[]): Promise<number> {
    const given: OptionValues<typeof options> = readOptions("demo", options, args);
    checkDevice(given.device);
    checkAtLeast(1, { n: given.n });
    const progress = openProgress();
    try {
      const workload = await loadNamed("sentence-encoder", {
        n: given.n ?? 4096,
        seed: DEFAULT_SEED,
        onProgress: progress.update,
      });
      using device = await openCommandDevice(given);
      const request = { method: "kdeformer-practical", "compare-exact": true } as const;
      const report = await attendInputs(workload, request, device, progress.update);
      progress.finish();
      process.stdout.write(printable(`${toTable(workload, report)}\n\n${betterDeviceAdvice(device)}\n`));
      return 0;
    } finally {
      progress.finish();
    }
  },
};
