import { kernelSum as sumOfKernel, type KernelSumResult } from "../estimators/kde/kernel_sum.ts";
import { type KernelName, kernelNames } from "../estimators/kde/kernels.ts";
import { checkDensityOptions } from "../estimators/kde/options.ts";
import { readArray } from "../files/arrays/read.ts";
import { deviceKindsInWords } from "../kernels/device_kinds.ts";
import { checkOneOf, describeOptions, readOptions, takeOperand } from "./arguments.ts";
import { checkDevice } from "./check_device.ts";
import { checkAtLeast, DEFAULT_SEED, refuse } from "./input_options.ts";
import { openCommandDevice } from "./open_device.ts";
import { openOutputs } from "./outputs.ts";
import { jsonLine } from "./printable.ts";
import { formatNumber, formatSeconds, formatTable } from "./table.ts";
import { usageOf } from "./usage_of.ts";

const options = {
  kernel: {
    kind: "text",
    value: "K",
    help:
      "gaussian, exp(−‖x − y‖²/(2h²)); exponential, exp(−‖x − y‖/h); or laplace, exp(−‖x − y‖₁/h) (gaussian)",
  },
  bandwidth: { kind: "number", value: "H", help: "width h of the kernel, in the units of the points (1)" },
  epsilon: { kind: "number", value: "E", help: "relative error allowed, between 0 and 1 (0.1)" },
  delta: { kind: "number", value: "D", help: "probability of a larger error, between 0 and 1 (0.05)" },
  seed: { kind: "integer", value: "N", help: `seed of the sample (${DEFAULT_SEED})` },
  device: { kind: "text", value: "DEVICE", help: `${deviceKindsInWords} (the best there is)` },
  threads: { kind: "integer", value: "N", help: "threads of the wasm device (one per core)" },
  json: {
    kind: "target",
    value: "[FILE]",
    help: "write one JSON object; without FILE or with - to the output, and nothing else there",
  },
} as const;

/** `kernel-sum`: the sum of all entries of a kernel matrix. */
export const kernelSum = {
  summary: "sum of all entries of the kernel matrix of points in a file, from a sample of them",
  help: (): string =>
    `Usage: cli.ts kernel-sum FILE.npy [options]\n\nPoints [n, d]; FILE.npz:NAME and - as in attend.\n\n${
      describeOptions(options)
    }\n`,
  async run(args: readonly string[]): Promise<number> {
    const [file, words] = takeOperand("kernel-sum", "FILE.npy", args);
    const given = readOptions("kernel-sum", options, words);
    checkOneOf("kernel", given.kernel, kernelNames);
    checkDevice(given.device);
    if (given.device !== undefined && given.device !== "wasm") {
      refuse(given, ["threads"], `goes with --device wasm, not with ${given.device}`);
    }
    checkAtLeast(1, { threads: given.threads });
    const { epsilon = 0.1, delta = 0.05, bandwidth = 1, seed = DEFAULT_SEED } = given;
    const kernel = (given.kernel ?? "gaussian") as KernelName,
      asked = { kernel, bandwidth, epsilon, delta, seed };
    usageOf(() => checkDensityOptions(asked, { further: ["bandwidth", "kernel"] }));
    const outputs = await openOutputs({ json: given.json });
    const points = await readArray(file);
    using device = await openCommandDevice(given);
    const start = performance.now(), found = await sumOfKernel(points, { ...asked, device });
    const seconds = (performance.now() - start) / 1000, [n, d] = points.shape;
    const report = { file, n, d, ...asked, ...found, seconds };
    outputs.print(`${describe(report, `${device.kind}: ${device.adapter}`)}\n`);
    await outputs.write(
      "json",
      jsonLine({
        ...{ command: "kernel-sum", file, n, d, ...asked, sum: found.sum, mean: found.sum / n ** 2 },
        ...{ exact: isExact(report), samples: found.samples, groups: found.groups },
        ...{
          kernel_evaluations: found.kernelEvaluations,
          device: device.kind,
          adapter: device.adapter,
          seconds,
        },
      }),
    );
    return 0;
  },
};

type Report = KernelSumResult & {
  readonly file: string;
  readonly n: number;
  readonly d: number;
  readonly kernel: string;
  readonly epsilon: number;
  readonly delta: number;
  readonly seconds: number;
};

/** Whether all points were taken. */
const isExact = ({ samples, n }: Report) => samples === n;

function describe(report: Report, where: string): string {
  const { file, n, d, kernel, sum, kernelEvaluations, samples, groups, epsilon, delta, seconds } = report;
  const bound = isExact(report)
    ? "exact but for rounding: the error allowed asks for all points"
    : `within a factor 1 ± ${epsilon} with probability ${1 - delta}: ${groups} × ${samples} points`;
  const table = formatTable([
    ["kernel", "sum", "mean", "evaluations", "of n²", "time"],
    [
      kernel,
      ...[sum, sum / n ** 2, kernelEvaluations, kernelEvaluations / n ** 2].map(formatNumber),
      formatSeconds(seconds),
    ],
  ]);
  return `${file}\n${n} points, d ${d}; ${where}\n\n${table}\n\n${bound}`;
}
