import { checkInteger } from "../kernels/check_values.ts";
import type { Device } from "../kernels/device.ts";
import { sizeOf, type Tensor } from "../kernels/tensor.ts";
import { type OptionValues, unknownName, UsageError } from "./arguments.ts";
import { checkDevice } from "./check_device.ts";
import { archivePath } from "../files/arrays/path.ts";
import { readArray } from "../files/arrays/read.ts";
import type { ProgressLine } from "./progress.ts";
import { deviceKindsInWords } from "../kernels/device_kinds.ts";
import { usageOf } from "./usage_of.ts";
import type { NamedInput } from "../proofs_checks/inputs/family.ts";
import { loadWorkload, workloadNames, type WorkloadOptions } from "../workloads/workloads.ts";

/** Seed of workloads and methods where none is given: one for both, so that what a report says repeats it. */
export const DEFAULT_SEED = 1;

/** Options that say what to attend, and where. */
export const inputOptions = {
  q: {
    kind: "text",
    value: "Q.npy",
    help:
      "queries [..., n_q, d]; FILE.npz:NAME or FILE.safetensors:NAME for an array of several, - for the standard input",
  },
  k: { kind: "text", value: "K.npy", help: "keys [..., n_k, d]" },
  v: { kind: "text", value: "V.npy", help: "values [..., n_k, d_v]" },
  qkv: {
    kind: "text",
    value: "QKV.npz",
    help:
      "in place of the three: an .npz or .safetensors file with arrays q, k and v, or query, key and value",
  },
  workload: { kind: "text", value: "NAME", help: `in place of files: ${workloadNames.join(", ")}` },
  n: { kind: "integer", value: "N", help: "size of the workload" },
  batch: { kind: "integer", value: "N", help: "how many of the workload to attend at once" },
  head: { kind: "text", value: "L.H", help: "layer and head of a workload that has several, such as 1.0" },
  scale: { kind: "number", value: "S", help: "factor on inner products (1/sqrt d, or the workload's)" },
  causal: { kind: "flag", help: "query i sees keys up to i + n_k − n_q" },
  device: { kind: "text", value: "DEVICE", help: `${deviceKindsInWords} (the best there is)` },
  threads: { kind: "integer", value: "N", help: "threads of the wasm device (one per core)" },
} as const;

/** Values of {@link inputOptions}. */
export type InputOptions = OptionValues<typeof inputOptions>;

/**
 * Checks what can be told from the options alone.
 *
 * @throws {UsageError} If there are not exactly three files, one with all three arrays or one workload, an option does not apply to what is given,
 *   or a value is out of range.
 */
export function checkInputOptions(command: string, given: InputOptions): void {
  const files = [given.q, given.k, given.v].filter((path) => path !== undefined);
  const ways = { "--workload": given.workload, "--qkv": given.qkv, "--q, --k and --v": files[0] };
  const ofThese = Object.entries(ways).filter(([, value]) => value !== undefined).map(([way]) => way);
  if (ofThese.length > 1) throw new UsageError(`Give either ${ofThese.join(" or ")}`);
  if (ofThese.length === 0 || (files.length > 0 && files.length < 3)) {
    throw new UsageError(`${command} needs --q, --k and --v, or --workload NAME, or --qkv FILE`);
  }
  if (given.qkv !== undefined && archivePath(given.qkv)?.archive !== given.qkv) {
    throw new UsageError(
      `--qkv must be an .npz or .safetensors file, without the name of an array: got "${given.qkv}"`,
    );
  }
  checkWorkload(given.workload);
  checkOneStandardInput({ q: given.q, k: given.k, v: given.v });
  if (given.workload === undefined) {
    refuse(given, ["n", "batch", "head"], "goes with --workload, not with files");
  }
  checkDevice(given.device);
  if (given.device !== undefined && given.device !== "wasm") {
    refuse(given, ["threads"], `goes with --device wasm, not with ${given.device}`);
  }
  checkAtLeast(1, { n: given.n, batch: given.batch, threads: given.threads });
}

/** Refuses a workload that there is not. */
export function checkWorkload(name: string | undefined): void {
  if (name === undefined || workloadNames.includes(name)) return;
  throw new UsageError(
    `${unknownName(`workload ${name}`, name, workloadNames)}; workloads: ${workloadNames.join(", ")}`,
  );
}

/** Refuses that two inputs are read from the standard input. */
export function checkOneStandardInput(paths: Readonly<Record<string, string | undefined>>): void {
  const standard = Object.keys(paths).filter((option) => paths[option] === "-");
  if (standard.length < 2) return;
  throw new UsageError(
    `Only one input can be -, the standard input: got ${standard.map((name) => `--${name} -`).join(" and ")}`,
  );
}

/**
 * Refuses options that would be ignored.
 *
 * @param why What follows the option's name in the message.
 */
export function refuse(
  given: Readonly<Record<string, unknown>>,
  options: readonly string[],
  why: string,
): void {
  const first = options.find((name) => given[name] !== undefined);
  if (first !== undefined) throw new UsageError(`--${first} ${why}`);
}

/** Refuses numbers of options that are smaller than they may be. */
export function checkAtLeast(least: number, numbers: Readonly<Record<string, number | undefined>>): void {
  for (const [name, number] of Object.entries(numbers)) {
    if (number !== undefined && number < least) {
      throw new UsageError(`--${name} must be at least ${least}: got ${number}`);
    }
  }
}

/** Refuses a seed that no generator takes. */
export function checkSeed(seed: number | undefined): void {
  if (seed !== undefined) usageOf(() => checkInteger("run", "seed", seed, 0));
}

/**
 * Reads the tensors that the options name: three files, one with all three, or a workload.
 *
 * @param seed Seed of the workload.
 * @throws {UsageError} If the workload has not what the options ask of it.
 */
export async function loadInputs(
  given: InputOptions,
  seed: number,
  progress: ProgressLine,
): Promise<NamedInput> {
  const { workload, n, batch, head } = given;
  if (workload === undefined) {
    const { qkv } = given, paths = qkv === undefined ? [given.q!, given.k!, given.v!] : [qkv, qkv, qkv];
    const [query, key, value] = await readAll(paths, qkv !== undefined);
    const scale = 1 / Math.sqrt(query.shape[query.shape.length - 1]);
    return { name: "files", query, key, value, scale, description: qkv ?? paths.join(", ") };
  }
  return await loadNamed(workload, { n, batch, seed, head, onProgress: progress.update });
}

/**
 * Reads queries and keys alone: two files, or those of a workload.
 *
 * @param seed Seed of the workload.
 * @throws {UsageError} If the workload has not what the options ask of it.
 */
export async function loadQueriesAndKeys(
  { q, k, workload, n, head }: Pick<InputOptions, "q" | "k" | "workload" | "n" | "head">,
  seed: number,
  progress: ProgressLine,
): Promise<Omit<NamedInput, "value">> {
  if (workload !== undefined) {
    return await loadNamed(workload, { n, seed, head, onProgress: progress.update });
  }
  const [query, key] = await readAll([q!, k!], false);
  const scale = 1 / Math.sqrt(query.shape[query.shape.length - 1]);
  return { name: "files", query, key, scale, description: `${q}, ${k}` };
}

/** What queries, keys and values are called in a file that holds several arrays, in any case of the letters. */
const USUAL_NAMES = [["q", "query"], ["k", "key"], ["v", "value"]];

/**
 * Reads queries, keys and values. Under Deno side by side, so that pipes may be written in any order; elsewhere in turn, since few threads open files
 * there (Bun has one for each core), and while each waits for the writer of a pipe none is left to read.
 *
 * @param strict Whether arrays of an archive must have the usual names; else one that is alone is taken.
 */
async function readAll(paths: readonly string[], strict: boolean): Promise<Tensor[]> {
  const read = (path: string, at: number) => readArray(path, { usual: USUAL_NAMES[at], strict });
  if ("Deno" in globalThis) return await Promise.all(paths.map(read));
  const tensors: Tensor[] = [];
  for (const [at, path] of paths.entries()) tensors.push(await read(path, at));
  return tensors;
}

/**
 * Loads a workload with options of the command line.
 *
 * @throws {UsageError} If it has not what they ask of it.
 */
export async function loadNamed(name: string, options: WorkloadOptions): Promise<NamedInput> {
  try {
    return await loadWorkload(name, options);
  } catch (error) {
    const isOption = error instanceof RangeError && /^Cannot (load workload|generate) /.test(error.message);
    throw isOption ? new UsageError(error.message, { cause: error }) : error;
  }
}

/** What is attended and where, in two lines. */
export function describeInputs(
  { query, value, description }: NamedInput,
  { kind, adapter }: Pick<Device, "kind" | "adapter">,
): string {
  const [queries, features] = query.shape.slice(-2), [keys, width] = value.shape.slice(-2);
  const heads = sizeOf(query.shape.slice(0, -2));
  return `${description}\n${heads} head${
    heads === 1 ? "" : "s"
  }, ${queries} queries × ${keys} keys, d ${features}, d_v ${width}; ${kind}: ${adapter}`;
}
