import { MOST_BUDGET } from "../estimators/attention/options.ts";
import { type MethodName, methods } from "../estimators/methods/methods.ts";
import { comparisonCsv } from "../proofs_checks/comparison/csv.ts";
import { measureComparison, measureComparisons } from "../proofs_checks/comparison/measure.ts";
import { checkComparison } from "../proofs_checks/comparison/options.ts";
import { describeOptions, type OptionValues, readOptions, unknownName, UsageError } from "./arguments.ts";
import { comparisonTable } from "./compare_table.ts";
import { checkCompared, comparedInputs, isSeveral } from "./compared_inputs.ts";
import { comparisonsText } from "./comparisons_text.ts";
import { exitCodeOf, interruptible } from "../files/interruption.ts";
import { DEFAULT_SEED, describeInputs, inputOptions, loadInputs } from "./input_options.ts";
import { warn } from "./printable.ts";
import { workloadNames } from "../workloads/workloads.ts";
import { openCommandDevice } from "./open_device.ts";
import { peakMemoryOf } from "./peak_memory.ts";
import { openProgress } from "./progress.ts";
import { commandLine } from "../proofs_checks/engine/command_line.ts";
import { openReportOutputs, reportOptions, writeReport } from "./report_files.ts";
import { usageOf } from "./usage_of.ts";

const options = {
  ...inputOptions,
  workload: {
    kind: "text",
    value: "NAME,…",
    help: `in place of files, one or several: ${workloadNames.join(", ")}`,
  },
  methods: { kind: "list", value: "A,B,…", help: `methods beside exact (all): ${methods.join(", ")}` },
  budgets: {
    kind: "list",
    value: "F,G,…",
    help: "budgets (64,128,256): F samples and F/2 keys per block, 1.5 F key evaluations per query",
  },
  seeds: { kind: "integer", value: "N", help: "seeds that errors are taken over (3)" },
  seed: {
    kind: "integer",
    value: "N",
    help: `the first of them, and that of the workload (${DEFAULT_SEED})`,
  },
  repeat: {
    kind: "integer",
    value: "N",
    help: "timed rounds, in each of which every method runs once (5; none of several inputs)",
  },
  heads: {
    kind: "list",
    value: "all|L.H,…",
    help: "heads of the workloads that have several, each compared by itself",
  },
  memory: { kind: "flag", help: "measure memory too, each point in a process of its own (Linux)" },
  csv: {
    kind: "text",
    value: "FILE.csv",
    help: "write every point as comma-separated values; - for the output",
  },
  ...reportOptions,
} as const;

/** `compare`: error against time of every method. */
export const compare = {
  summary: "error against time, every method at several budgets",
  help: (): string =>
    `Usage: cli.ts compare (--q Q.npy --k K.npy --v V.npy | --qkv QKV.npz | --workload NAME,…) [options]\n\n${
      describeOptions(options)
    }\n`,
  async run(args: readonly string[]): Promise<number> {
    const given = readOptions("compare", options, args);
    const { named, budgets } = checkUsage(given);
    const outputs = await openReportOutputs(given, { csv: given.csv });
    const progress = openProgress(), seed = given.seed ?? DEFAULT_SEED;
    try {
      return await interruptible(async (signal, received) => {
        using device = await openCommandDevice(given);
        const settings = {
          ...{ methods: named, budgets, seeds: given.seeds, seed, repeat: given.repeat },
          ...{ causal: given.causal, device, replay: commandLine("compare", args), signal },
          onProgress: progress.update,
          peakMemory: given.memory ? peakMemoryOf : undefined,
        };
        const several = isSeveral(given);
        if (!several) {
          const inputs = await loadInputs(given, seed, progress);
          const report = await measureComparison({ ...inputs, scale: given.scale ?? inputs.scale }, settings);
          progress.finish();
          const text = `${describeInputs(inputs, device)}\n\n${comparisonTable(report)}\n`;
          await outputs.write("csv", comparisonCsv([report]));
          await writeReport({ comparison: report }, text, given, outputs);
          return 0;
        }
        const report = await measureComparisons(comparedInputs(given, seed, progress, signal), settings);
        progress.finish();
        await outputs.write("csv", comparisonCsv(report.comparisons));
        await writeReport({ comparisons: report }, comparisonsText(report), given, outputs);
        const interruption = received();
        if (!report.interrupted || interruption === undefined) return 0;
        warn(`INCOMPLETE: interrupted after ${report.comparisons.length} inputs, which the reports hold`);
        return exitCodeOf(interruption);
      });
    } finally {
      progress.finish();
    }
  },
};

/** Checks the options; lists may be written with commas as well as with spaces. */
function checkUsage(
  given: OptionValues<typeof options>,
): { named: MethodName[] | undefined; budgets: number[] | undefined } {
  checkCompared(given);
  usageOf(() => checkComparison({ seed: given.seed, seeds: given.seeds, repeat: given.repeat }));
  const words = (list: readonly string[] | undefined) => list?.flatMap((text) => text.split(","));
  const named = words(given.methods), budgets = words(given.budgets);
  for (const name of named ?? []) {
    if (!methods.includes(name as MethodName)) {
      throw new UsageError(
        `${unknownName(`method ${name}`, name, methods)}; methods: ${methods.join(", ")}`,
      );
    }
  }
  for (const budget of budgets ?? []) {
    if (!/^\d+$/.test(budget) || Number(budget) < 2 || Number(budget) > MOST_BUDGET) {
      throw new UsageError(`--budgets must be integers from 2 to ${MOST_BUDGET}: got "${budget}"`);
    }
  }
  return { named: named as MethodName[] | undefined, budgets: budgets?.map(Number) };
}
