import {
  softmaxSpectrum,
  type SoftmaxSpectrumOptions,
  spectrumMethods,
} from "../estimators/spectrum/softmax_spectrum.ts";
import type { Enclosed, SoftmaxSpectrum } from "../estimators/spectrum/spectrum.ts";
import { checkFraction, checkInteger } from "../kernels/check_values.ts";
import type { NamedInput } from "../proofs_checks/inputs/family.ts";
import { checkOneOf, describeOptions, type OptionValues, readOptions, UsageError } from "./arguments.ts";
import { checkDevice } from "./check_device.ts";
import {
  checkAtLeast,
  checkOneStandardInput,
  checkSeed,
  checkWorkload,
  DEFAULT_SEED,
  inputOptions,
  loadQueriesAndKeys,
  refuse,
} from "./input_options.ts";
import { openCommandDevice } from "./open_device.ts";
import { openOutputs } from "./outputs.ts";
import { jsonLine } from "./printable.ts";
import { openProgress } from "./progress.ts";
import { formatNumber, formatSeconds, formatTable } from "./table.ts";
import { usageOf } from "./usage_of.ts";

const { q, k, workload, n, head, scale, device, threads } = inputOptions;
const options = {
  ...{ q, k, workload, n, head, scale },
  method: {
    kind: "text",
    value: "M",
    help:
      "exact products with P, or sampled, from some of its rows with bounds that hold with probability 1 − D (exact)",
  },
  leading: { kind: "integer", value: "N", help: "leading singular values (4)" },
  tolerance: {
    kind: "number",
    value: "T",
    help: "with exact products: how close bounds on ‖P‖ are to be (0.001)",
  },
  rows: { kind: "integer", value: "N", help: "with --method sampled: rows to look at (512)" },
  delta: {
    kind: "number",
    value: "D",
    help: "with --method sampled: probability that a bound is false (0.05)",
  },
  seed: {
    kind: "integer",
    value: "N",
    help: `seed of the workload, the start and the rows (${DEFAULT_SEED})`,
  },
  ...{ device, threads },
  json: {
    kind: "target",
    value: "[FILE]",
    help: "write one JSON object; without FILE or with - to the output, and nothing else there",
  },
} as const;

/** `spectrum`: norms and singular values of softmax matrices. */
export const spectrum = {
  summary: "norm, stable rank and leading singular values of softmax matrices, which are not held",
  help: (): string =>
    `Usage: cli.ts spectrum (--q Q.npy --k K.npy | --workload NAME) [options]\n\n${
      describeOptions(options)
    }\n`,
  async run(args: readonly string[]): Promise<number> {
    const given = readOptions("spectrum", options, args);
    checkUsage(given);
    const outputs = await openOutputs({ json: given.json }), progress = openProgress();
    const seed = given.seed ?? DEFAULT_SEED,
      method = (given.method ?? "exact") as SoftmaxSpectrumOptions["method"];
    try {
      const inputs = await loadQueriesAndKeys(given, seed, progress);
      using device = await openCommandDevice(given);
      const start = performance.now();
      const spectra = await softmaxSpectrum(inputs.query, inputs.key, {
        ...{ method, seed, device, scale: given.scale ?? inputs.scale },
        ...{ leading: given.leading, tolerance: given.tolerance, rows: given.rows, delta: given.delta },
      });
      const seconds = (performance.now() - start) / 1000;
      progress.finish();
      const sampled = spectra.some(({ rows }) => rows < inputs.query.shape.at(-2)!);
      const certainty = sampled
        ? `bounds hold with probability ${
          1 - (given.delta ?? 0.05)
        } for each head, and singular values are estimates`
        : "bounds hold but for rounding; each singular value is within its residual of one that P has";
      outputs.print(
        `${describe(inputs, spectra, `${device.kind}: ${device.adapter}`, seconds)}\n\n${certainty}\n`,
      );
      await outputs.write(
        "json",
        jsonLine({
          ...{ command: "spectrum", workload: inputs.name, n_q: inputs.query.shape.at(-2) },
          ...{ n_k: inputs.key.shape.at(-2), d: inputs.query.shape.at(-1), method, sampled, seed },
          ...{
            delta: sampled ? given.delta ?? 0.05 : null,
            device: device.kind,
            adapter: device.adapter,
            seconds,
          },
          heads: spectra.map(headToJson),
        }),
      );
      return 0;
    } finally {
      progress.finish();
    }
  },
};

function headToJson(own: SoftmaxSpectrum): object {
  return {
    ...{ norm: own.norm, squared_frobenius: own.squaredFrobenius, stable_rank: own.stableRank },
    singular_values: Array.from(own.singularValues),
    residuals: Array.from(own.residuals, (x) => Number.isNaN(x) ? null : x),
    rows: own.rows,
    key_evaluations: own.keyEvaluations,
  };
}

function describe(
  { query, key, description }: Omit<NamedInput, "value">,
  spectra: readonly SoftmaxSpectrum[],
  where: string,
  seconds: number,
): string {
  const [queries, features] = query.shape.slice(-2), keys = key.shape[key.shape.length - 2];
  const between = ({ lower, estimate, upper }: Enclosed) => {
    const [low, middle, high] = [lower, estimate, upper].map((x) => String(Number(x.toPrecision(5))));
    return low === high ? middle : `${middle} (${low} to ${high})`;
  };
  const rows = spectra.map((own, head) => [
    String(head),
    between(own.norm),
    between(own.squaredFrobenius),
    between(own.stableRank),
    Array.from(own.singularValues, (x) => formatNumber(x)).join(" "),
    formatNumber(own.keyEvaluations / (queries * keys)),
  ]);
  const heading = ["head", "‖P‖", "‖P‖_F²", "stable rank", "singular values", "evaluations/(n_q n_k)"];
  return `${description}\n${spectra.length} head${
    spectra.length === 1 ? "" : "s"
  }, ${queries} queries × ${keys} keys, d ${features}; ${where}\n\n${formatTable([heading, ...rows])}\n\n${
    formatSeconds(seconds)
  }`;
}

function checkUsage(given: OptionValues<typeof options>): void {
  const files = [given.q, given.k].filter((path) => path !== undefined).length;
  if (given.workload !== undefined && files > 0) {
    throw new UsageError("Give either --workload or --q and --k");
  }
  if (given.workload === undefined && files < 2) {
    throw new UsageError("spectrum needs --q and --k, or --workload NAME");
  }
  checkWorkload(given.workload);
  checkOneStandardInput({ q: given.q, k: given.k });
  if (given.workload === undefined) refuse(given, ["n", "head"], "goes with --workload, not with files");
  checkOneOf("method", given.method, spectrumMethods);
  if (given.method === "sampled") refuse(given, ["tolerance"], "goes with --method exact");
  else refuse(given, ["rows", "delta"], "goes with --method sampled");
  checkDevice(given.device);
  if (given.device !== undefined && given.device !== "wasm") {
    refuse(given, ["threads"], `goes with --device wasm, not with ${given.device}`);
  }
  checkAtLeast(1, { n: given.n, threads: given.threads });
  checkSeed(given.seed);
  const { leading = 4, rows = 512, tolerance = 0.001, delta = 0.05 } = given;
  usageOf(() => checkInteger("run", "leading", leading, 1, 32));
  usageOf(() => checkInteger("run", "rows", rows, 4));
  usageOf(() => checkFraction("run", "tolerance", tolerance));
  usageOf(() => checkFraction("run", "delta", delta));
}
