import { type MethodName, methods } from "../estimators/methods/methods.ts";
import type { DeviceKind } from "../kernels/backend.ts";
import { checkFraction } from "../kernels/check_values.ts";
import { measureScaling } from "../proofs_checks/scaling/measure.ts";
import type { ScalingReport, ScalingSeries } from "../proofs_checks/scaling/report.ts";
import {
  checkOneOf,
  describeOptions,
  type OptionValues,
  readOptions,
  unknownName,
  UsageError,
} from "./arguments.ts";
import { checkDevice } from "./check_device.ts";
import { checkSeed, DEFAULT_SEED, loadNamed } from "./input_options.ts";
import { peakMemory } from "./peak_memory.ts";
import { commandLine } from "../proofs_checks/engine/command_line.ts";
import { openReportOutputs, reportOptions, writeReport } from "./report_files.ts";
import { formatNumber, formatSeconds, formatTable } from "./table.ts";
import { usageOf } from "./usage_of.ts";
import { deviceKindsInWords } from "../kernels/device_kinds.ts";
import type { NamedInput } from "../proofs_checks/inputs/family.ts";
import { workloadNames } from "../workloads/workloads.ts";

const options = {
  min: { kind: "integer", value: "N", help: "smallest n (1024); the sizes are its doublings" },
  max: { kind: "integer", value: "N", help: "largest n (16384)" },
  epsilon: { kind: "number", value: "E", help: "error to certify, relative to ‖P‖·‖V‖ (0.3)" },
  workload: { kind: "list", value: "NAME …", help: "workloads (gaussian clustered)" },
  method: { kind: "text", value: "M", help: "method at a fixed budget (kdeformer-practical)" },
  limit: {
    kind: "number",
    value: "S",
    help: "seconds that one run may take (60); beyond, exact is extrapolated",
  },
  seed: { kind: "integer", value: "N", help: `seed (${DEFAULT_SEED})` },
  device: { kind: "text", value: "DEVICE", help: `${deviceKindsInWords} (wasm)` },
  ...reportOptions,
} as const;

/** `scaling`: time, evaluations, memory and error over n. */
export const scaling = {
  summary: "time, key evaluations, memory and error as n grows",
  help: (): string => `Usage: cli.ts scaling [options]\n\n${describeOptions(options)}\n`,
  async run(args: readonly string[]): Promise<number> {
    const given = readOptions("scaling", options, args);
    checkUsage(given);
    const outputs = await openReportOutputs(given);
    const report = await measureScaling({
      min: given.min,
      max: given.max,
      epsilon: given.epsilon,
      workloads: given.workload,
      method: given.method as MethodName | undefined,
      limit: given.limit,
      seed: given.seed ?? DEFAULT_SEED,
      device: given.device as DeviceKind | undefined,
      replay: commandLine("scaling", args),
      load: loadIfAny,
      peakMemory,
      onPoint(workload, mode, { n, seconds, error, extrapolated, fell_back: fellBack }) {
        const remark = extrapolated ? "  extrapolated" : fellBack ? "  fell back to exact" : "";
        const measured = error === null ? "" : `  error ${formatNumber(error)}`;
        outputs.print(
          `${workload.padEnd(18)} ${mode.padEnd(14)} n ${String(n).padStart(7)}  ${
            formatSeconds(seconds).padStart(9)
          }${measured}${remark}\n`,
        );
      },
    });
    await writeReport({ scaling: report }, summary(report), given, outputs);
    return 0;
  },
};

/** The input of a workload, or null where it has none of that size. */
export async function loadIfAny(name: string, n: number, seed: number): Promise<NamedInput | null> {
  try {
    return await loadNamed(name, { n, seed });
  } catch (error) {
    if (error instanceof UsageError) return null;
    throw error;
  }
}

function checkUsage(given: OptionValues<typeof options>): void {
  checkDevice(given.device);
  checkSeed(given.seed);
  const { min = 1024, max = 16_384, epsilon, limit } = given;
  if (min < 1 || max < min) {
    throw new UsageError(`--min and --max must be 1 <= min <= max: got ${min} and ${max}`);
  }
  if (epsilon !== undefined) usageOf(() => checkFraction("measure scaling", "epsilon", epsilon));
  if (limit !== undefined && !(limit > 0)) throw new UsageError(`--limit must be positive: got ${limit}`);
  for (const name of given.workload ?? []) {
    if (!workloadNames.includes(name)) {
      throw new UsageError(unknownName(`workload ${name}`, name, workloadNames));
    }
  }
  checkOneOf("method", given.method, methods);
}

function summary({ series, epsilon }: ScalingReport): string {
  const number = (value: number | null) => value === null ? "–" : formatNumber(value);
  const rows = series.map((one) => [
    one.workload,
    one.mode,
    number(one.slope),
    one.slope_interval
      ? `${formatNumber(one.slope_interval[0])} to ${formatNumber(one.slope_interval[1])}`
      : "–",
    number(one.evaluations_slope),
    number(one.memory_slope),
    one.crossover === null ? "–" : String(Math.round(one.crossover)),
  ]);
  const heads = [
    "workload",
    "mode",
    "slope of time",
    "95 %",
    "of evaluations",
    "of memory",
    "faster than exact from n",
  ];
  const verdicts = series.filter(({ mode }) => mode !== "exact").map((one) =>
    `${one.workload}, ${one.mode === "fixed-budget" ? "fixed budget" : `certified ε = ${epsilon}`}: ${
      verdictOf(one)
    }`
  );
  return `\n${formatTable([heads, ...rows])}\n\n${verdicts.join("\n")}\n`;
}

/** What a series says about growth. Where certifying costs more than exact attention, slopes are those of exact attention. */
function verdictOf({ points, slope_interval: interval }: ScalingSeries): string {
  const exact = points.filter(({ fell_back: fellBack }) => fellBack);
  if (exact.length > 0 && exact[exact.length - 1] === points[points.length - 1]) {
    return exact.length === points.length
      ? "not sub-quadratic: exact attention was cheaper than certifying at every size"
      : "not sub-quadratic: exact attention was cheaper than certifying at the largest size";
  }
  const from = exact.length > 0 ? `; exact up to n = ${exact[exact.length - 1].n}` : "";
  if (!interval) return `too few sizes to tell${from}`;
  return (interval[1] < 2 ? "sub-quadratic" : interval[0] >= 2 ? "not sub-quadratic" : "undecided") +
    ` at the sizes measured${from}`;
}
