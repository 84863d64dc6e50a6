import { MOST_BUDGET } from "../estimators/attention/options.ts";
import { type MethodName, methods } from "../estimators/methods/methods.ts";
import { measureComparison } from "../proofs_checks/comparison/measure.ts";
import { describeOptions, type OptionValues, readOptions, unknownName, UsageError } from "./arguments.ts";
import { comparisonTable } from "./compare_table.ts";
import {
  checkAtLeast,
  checkInputOptions,
  describeInputs,
  inputOptions,
  loadInputs,
} from "./input_options.ts";
import { openCommandDevice } from "./open_device.ts";
import { openProgress } from "./progress.ts";
import { reportOptions, writeReport } from "./report_files.ts";

const options = {
  ...inputOptions,
  methods: { kind: "list", value: "A,B,…", help: `methods beside exact (all): ${methods.join(", ")}` },
  budgets: {
    kind: "list",
    value: "F,G,…",
    help: "budgets (64,128,256): F samples and F/2 keys per block, 1.5 F key evaluations per query",
  },
  seeds: { kind: "integer", value: "N", help: "seeds that errors are taken over (3)" },
  seed: { kind: "integer", value: "N", help: "the first of them, and that of the workload (1)" },
  repeat: { kind: "integer", value: "N", help: "timed rounds, in each of which every method runs once (5)" },
  ...reportOptions,
} as const;

/** `compare`: error against time of every method. */
export const compare = {
  summary: "error against time, every method at several budgets",
  help: (): string =>
    `Usage: cli.ts compare (--q Q.npy --k K.npy --v V.npy | --workload NAME) [options]\n\n${
      describeOptions(options)
    }\n`,
  async run(args: readonly string[]): Promise<number> {
    const given = readOptions("compare", options, args);
    const { named, budgets } = checkUsage(given);
    const progress = await openProgress();
    try {
      const inputs = await loadInputs(given, given.seed, progress);
      using device = await openCommandDevice(given);
      const report = await measureComparison({ ...inputs, scale: given.scale ?? inputs.scale }, {
        methods: named,
        budgets,
        seeds: given.seeds,
        seed: given.seed,
        repeat: given.repeat,
        causal: given.causal,
        device,
        replay: `deno run -A cli.ts compare ${args.join(" ")}`,
        onProgress: progress.update,
      });
      await progress.finish();
      const text = `${describeInputs(inputs, device)}\n\n${comparisonTable(report)}\n`;
      await writeReport({ comparison: report }, text, given);
      return 0;
    } finally {
      await progress.finish();
    }
  },
};

/** Checks the options; lists may be written with commas as well as with spaces. */
function checkUsage(
  given: OptionValues<typeof options>,
): { named: MethodName[] | undefined; budgets: number[] | undefined } {
  checkInputOptions("compare", given);
  checkAtLeast(1, { seeds: given.seeds, repeat: given.repeat });
  checkAtLeast(0, { seed: given.seed });
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
