import process from "node:process";
import { attention, type AttentionResult } from "../estimators/attention/attention.ts";
import type { Certificate } from "../estimators/certified/certificate.ts";
import { type StorageFormat, storageFormats } from "../estimators/attention/options.ts";
import { type MethodName, methods } from "../estimators/methods/methods.ts";
import type { Device } from "../kernels/device.ts";
import { sizeOf } from "../kernels/tensor.ts";
import { describeOptions, type OptionValues, readOptions, UsageError } from "./arguments.ts";
import { compareWithExact, type Comparison } from "./compare_exact.ts";
import {
  checkAtLeast,
  checkInputOptions,
  describeInputs,
  inputOptions,
  loadInputs,
} from "./input_options.ts";
import { writeNpy } from "../npy/write.ts";
import { openCommandDevice } from "./open_device.ts";
import { openProgress } from "./progress.ts";
import { residentBytes } from "./resident_memory.ts";
import { formatNumber, formatSeconds, formatTable } from "./table.ts";
import type { Workload } from "../workloads/workloads.ts";

const options = {
  ...inputOptions,
  out: { kind: "text", value: "O.npy", help: "where to write the output" },
  method: { kind: "text", value: "M", help: methods.join(", ") },
  epsilon: { kind: "number", value: "E", help: "error allowed, relative to ‖P‖·‖V‖, between 0 and 1" },
  delta: { kind: "number", value: "D", help: "probability of a larger error, between 0 and 1 (0.05)" },
  bucket: { kind: "integer", value: "B", help: "keys per block (64)" },
  samples: { kind: "integer", value: "M", help: "further keys per query (128)" },
  projections: { kind: "integer", value: "R", help: "hyperplanes of the hash (about one bucket per block)" },
  seed: { kind: "integer", value: "N", help: "seed (0)" },
  storage: {
    kind: "text",
    value: "S",
    help: "f32, or with --method exact on WebGPU f16: keys and values in half floats (f32)",
  },
  "compare-exact": {
    kind: "flag",
    help: "also attend exactly on the same device; give errors and both times",
  },
  repeat: {
    kind: "integer",
    value: "N",
    help: "with --compare-exact: timed runs, of which the median is given (3)",
  },
  json: { kind: "flag", help: "print one JSON object, with the process's peak of memory" },
} as const;

/** Options of `attend`. */
export type AttendOptions = OptionValues<typeof options>;

/** `attend`: attention over files or a workload. */
export const attend = {
  summary: "attention over .npy files or a built-in workload",
  help: (): string =>
    `Usage: cli.ts attend (--q Q.npy --k K.npy --v V.npy | --workload NAME) [options]\n\n${
      describeOptions(options)
    }\n`,
  async run(args: readonly string[]): Promise<number> {
    const given = readOptions("attend", options, args);
    checkUsage(given);
    const progress = await openProgress();
    try {
      const inputs = await loadInputs(given, given.seed, progress);
      using device = await openCommandDevice(given);
      const report = await attendInputs(inputs, given, device, progress.update);
      await progress.finish();
      const { warning } = report.result.stats;
      if (warning) process.stderr.write(`Warning: ${warning}\n`);
      if (given.out !== undefined) await writeNpy(given.out, report.result.output);
      const lines = given.json ? JSON.stringify(await toJson(inputs, report)) : toTable(inputs, report);
      process.stdout.write(`${lines}\n`);
      return 0;
    } finally {
      await progress.finish();
    }
  },
};

/** What `attend` found out. */
export interface AttendReport {
  readonly result: AttentionResult;
  readonly comparison: Comparison | undefined;
}

/** Attends, and compares with exact attention when asked. */
export async function attendInputs(
  inputs: Workload,
  given: AttendOptions,
  device: Device,
  update: (done: number, total: number, what: string) => void,
): Promise<AttendReport> {
  const request = {
    device,
    method: given.method as MethodName | undefined,
    scale: given.scale ?? inputs.scale,
    causal: given.causal,
    epsilon: given.epsilon,
    delta: given.delta,
    bucketSize: given.bucket,
    samples: given.samples,
    projections: given.projections,
    seed: given.seed,
    storage: given.storage as StorageFormat | undefined,
    onProgress: (done: number, total: number) => update(done, total, "attending heads"),
  };
  const { query, key, value } = inputs;
  if (given["compare-exact"]) {
    return await compareWithExact(inputs, request, device, given.repeat ?? 3, update);
  }
  return { result: await attention(query, key, value, request), comparison: undefined };
}

function checkUsage(given: AttendOptions): void {
  checkInputOptions("attend", given);
  if (given.method !== undefined && !methods.includes(given.method as MethodName)) {
    throw new UsageError(`--method must be one of ${methods.join(", ")}: got "${given.method}"`);
  }
  if (given.storage !== undefined && !storageFormats.includes(given.storage as StorageFormat)) {
    throw new UsageError(`--storage must be one of ${storageFormats.join(", ")}: got "${given.storage}"`);
  }
  if (given.storage === "f16" && (given.method !== "exact" || given.epsilon !== undefined)) {
    throw new UsageError("--storage f16 takes --method exact, without --epsilon");
  }
  checkAtLeast(1, { bucket: given.bucket, samples: given.samples, repeat: given.repeat });
}

/** The JSON object of `attend --json`; `peak_bytes` is the largest resident set of the process so far, or null. */
export async function toJson(
  { query, key, value, name }: Workload,
  { result, comparison }: AttendReport,
): Promise<object> {
  const { stats, certificate } = result;
  return {
    command: "attend",
    workload: name,
    n_q: query.shape.at(-2),
    n_k: key.shape.at(-2),
    d: query.shape.at(-1),
    d_v: value.shape.at(-1),
    heads: sizeOf(query.shape.slice(0, -2)),
    key_heads: sizeOf(key.shape.slice(0, -2)),
    method: stats.method,
    device: stats.device,
    adapter: stats.adapter,
    seconds: stats.seconds,
    ...(comparison && {
      exact_seconds: comparison.exactSeconds,
      repeat: comparison.repeat,
      relative_error_output: comparison.relativeErrorOutput,
      relative_error_product: comparison.relativeErrorProduct,
    }),
    key_evaluations: stats.keyEvaluations,
    estimated_error: stats.estimatedError,
    held_out_rows: stats.heldOutRows,
    warning: stats.warning,
    peak_bytes: await residentBytes("most").catch(() => null),
    bucket: stats.bucketSize,
    samples: stats.samples,
    seed: stats.seed,
    storage: stats.storage,
    fell_back: stats.fellBack,
    certificate,
  };
}

/** The table of `attend` for people. */
export function toTable(inputs: Workload, { result, comparison }: AttendReport): string {
  const { stats, output, certificate } = result;
  const queries = sizeOf(output.shape.slice(0, -1)), keys = inputs.key.shape[inputs.key.shape.length - 2];
  const rows = [
    ["method", "time", "key evaluations per query", ...(comparison ? ["error ‖Att~−Att‖/‖Att‖"] : [])],
    [
      stats.method,
      formatSeconds(stats.seconds),
      formatNumber(stats.keyEvaluations / queries),
      ...(comparison ? [formatNumber(comparison.relativeErrorOutput)] : []),
    ],
  ];
  if (comparison && stats.method !== "exact") {
    rows.push(["exact", formatSeconds(comparison.exactSeconds), String(keys), "0"]);
  }
  const lines = [
    describeInputs(inputs, { kind: stats.device, adapter: stats.adapter }),
    "",
    formatTable(rows),
  ];
  if (comparison && stats.method !== "exact") {
    lines.push("", `${formatNumber(comparison.exactSeconds / stats.seconds)}x the speed of exact attention`);
  }
  if (stats.heldOutRows > 0 && stats.method !== "exact") {
    const estimate = formatNumber(stats.estimatedError!);
    lines.push("", `estimated error ${estimate}, from ${stats.heldOutRows} rows held out; no certificate`);
  }
  if (certificate) lines.push("", describeCertificate(certificate));
  if (stats.fellBack) lines.push("", stats.fellBack);
  return lines.join("\n");
}

/** A certificate in words; bounds and estimates are never called by each other's name. */
function describeCertificate({ kind, holds, epsilon, delta, ...found }: Certificate): string {
  const asked = `error at most ${epsilon} · ‖P‖ · ‖V‖`;
  if (kind === "exact") return `certificate: ${asked}, since the output is exact`;
  const size = kind === "bound" ? found.operatorNormBound : found.operatorNormEstimate;
  return `certificate: ${holds ? "" : "NOT established: "}${asked} with probability ${1 - delta}; ` +
    `${kind} ${formatNumber(size)} of ${
      formatNumber(found.target ?? 0)
    } allowed, ${found.rowsChecked} rows checked`;
}
