import { attention } from "../estimators/attention/attention.ts";
import { checkOptions, type StorageFormat, storageFormats } from "../estimators/attention/options.ts";
import { type MethodName, methods, summaryOf } from "../estimators/methods/methods.ts";
import type { Device } from "../kernels/device.ts";
import { checkOneOf, describeOptions, type OptionValues, readOptions, UsageError } from "./arguments.ts";
import { type AttendReport, toJson, toTable } from "./attend_report.ts";
import { compareWithExact } from "./compare_exact.ts";
import {
  checkAtLeast,
  checkInputOptions,
  checkOneStandardInput,
  DEFAULT_SEED,
  inputOptions,
  loadInputs,
  refuse,
} from "./input_options.ts";
import { readKeyMask } from "./key_mask.ts";
import { formatNpyHeader, valueBytes } from "../files/npy/format.ts";
import { openCommandDevice } from "./open_device.ts";
import { openOutputs } from "./outputs.ts";
import { jsonLine } from "./printable.ts";
import { warn } from "./printable.ts";
import { openProgress } from "./progress.ts";
import { usageOf } from "./usage_of.ts";
import type { NamedInput } from "../proofs_checks/inputs/family.ts";

/** Ways to certify, the library's own. */
const certifications = ["bound", "estimate"] as const;

const options = {
  ...inputOptions,
  "key-mask": {
    kind: "text",
    value: "M.npy",
    help:
      "keys that may be seen: truth values, or numbers that are 0 or 1, [n_k] or [..., n_k] as the keys have it",
  },
  out: { kind: "text", value: "O.npy", help: "where to write the output; - for the standard output" },
  method: { kind: "text", value: "M", help: methods.join(", ") },
  epsilon: { kind: "number", value: "E", help: "error allowed, relative to ‖P‖·‖V‖, between 0 and 1" },
  delta: {
    kind: "number",
    value: "D",
    help: "with --epsilon: probability of a larger error, between 0 and 1 (0.05)",
  },
  certify: {
    kind: "text",
    value: "C",
    help: "with --epsilon: bound, or estimate, which certifies on an estimate of the error alone (bound)",
  },
  tolerance: {
    kind: "number",
    value: "T",
    help: "error of each head's output to aim at, as estimated from rows: no certificate; between 0 and 1",
  },
  budget: {
    kind: "integer",
    value: "N",
    help: "key evaluations per query, preparation included, in place of --bucket and --samples",
  },
  bucket: { kind: "integer", value: "B", help: "keys per block (64)" },
  samples: { kind: "integer", value: "M", help: "further keys per query (128)" },
  projections: { kind: "integer", value: "R", help: "hyperplanes of the hash (about one bucket per block)" },
  seed: { kind: "integer", value: "N", help: `seed of the method and of the workload (${DEFAULT_SEED})` },
  "check-seed": {
    kind: "integer",
    value: "N",
    help: "seed of the rows that a certificate checks, to repeat a result (drawn afresh)",
  },
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
  json: {
    kind: "target",
    value: "[FILE]",
    help:
      "write one JSON object, with the process's peak of memory; without FILE or with - to the output, and nothing else there",
  },
} as const;

/** Options of `attend`. */
export type AttendOptions = OptionValues<typeof options>;

/** `attend`: attention over files or a workload. */
export const attend = {
  summary: "attention over .npy, .npz or .safetensors files or a built-in workload",
  help: (): string =>
    `Usage: cli.ts attend (--q Q.npy --k K.npy --v V.npy | --qkv QKV.npz | --workload NAME) [options]\n\n${
      describeOptions(options)
    }\n\nMethods:\n${methods.map((name) => `  ${name.padEnd(20)} ${summaryOf(name)}`).join("\n")}\n`,
  async run(args: readonly string[]): Promise<number> {
    const given = readOptions("attend", options, args);
    checkUsage(given);
    const outputs = await openOutputs({ out: given.out, json: given.json }, "out");
    const progress = openProgress(), seed = given.seed ?? DEFAULT_SEED;
    try {
      const inputs = await loadInputs(given, seed, progress);
      const path = given["key-mask"];
      const keyMask = path === undefined ? undefined : await readKeyMask(path, inputs.key.shape);
      using device = await openCommandDevice(given);
      const report = await attendInputs(inputs, { ...given, keyMask }, device, progress.update);
      progress.finish();
      const { warning } = report.result.stats;
      if (warning) warn(`Warning: ${warning}`);
      outputs.print(`${toTable(inputs, report)}\n`);
      if (given.json !== undefined) {
        await outputs.write(
          "json",
          jsonLine(await toJson(inputs, report, given.workload === undefined ? null : seed)),
        );
      }
      const { output } = report.result;
      await outputs.write("out", [formatNpyHeader(output.shape), valueBytes(output)]);
      return 0;
    } finally {
      progress.finish();
    }
  },
};

/** What {@link attendInputs} takes beside inputs. */
export interface AttendRequest extends AttendOptions {
  readonly keyMask?: ArrayLike<number>;
}

/** Attends, and compares with exact attention when asked. */
async function attendInputs(
  inputs: NamedInput,
  given: AttendRequest,
  device: Device,
  update: (done: number, total: number, what: string) => void,
): Promise<AttendReport> {
  const request = {
    ...attentionOptions(given),
    device,
    scale: given.scale ?? inputs.scale,
    causal: given.causal,
    keyMask: given.keyMask,
    onProgress: (done: number, total: number) => update(done, total, "attending heads"),
  };
  const { query, key, value } = inputs;
  if (given["compare-exact"]) {
    return await compareWithExact(inputs, request, device, given.repeat ?? 3, update);
  }
  return { result: await attention(query, key, value, request), comparison: undefined };
}

/** The options of `attention` that the command line gives as they are. */
function attentionOptions(given: AttendOptions) {
  return {
    method: given.method as MethodName | undefined,
    epsilon: given.epsilon,
    delta: given.delta,
    certify: given.certify as typeof certifications[number] | undefined,
    tolerance: given.tolerance,
    budget: given.budget,
    bucketSize: given.bucket,
    samples: given.samples,
    projections: given.projections,
    seed: given.seed ?? DEFAULT_SEED,
    checkSeed: given["check-seed"],
    storage: given.storage as StorageFormat | undefined,
  };
}

function checkUsage(given: AttendOptions): void {
  checkInputOptions("attend", given);
  checkOneStandardInput({ q: given.q, k: given.k, v: given.v, "key-mask": given["key-mask"] });
  checkOneOf("method", given.method, methods);
  checkOneOf("storage", given.storage, storageFormats);
  checkOneOf("certify", given.certify, certifications);
  if (given.storage === "f16" && given.method !== "exact") {
    throw new UsageError("--storage f16 takes --method exact");
  }
  if (given.epsilon === undefined) refuse(given, ["delta", "certify", "check-seed"], "goes with --epsilon");
  if (!given["compare-exact"]) refuse(given, ["repeat"], "goes with --compare-exact");
  checkAtLeast(1, { repeat: given.repeat });
  usageOf(() => checkOptions(attentionOptions(given)));
}
