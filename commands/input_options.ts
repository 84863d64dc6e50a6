import type { Device } from "../kernels/device.ts";
import { sizeOf } from "../kernels/tensor.ts";
import { type OptionValues, unknownName, UsageError } from "./arguments.ts";
import { checkDevice } from "./check_device.ts";
import { readNpy } from "../npy/read.ts";
import type { ProgressLine } from "./progress.ts";
import { loadWorkload, type Workload, workloadNames } from "../workloads/workloads.ts";
import { deviceKindsInWords } from "../kernels/device_kinds.ts";

/** Options that say what to attend, and where. */
export const inputOptions = {
  q: { kind: "text", value: "Q.npy", help: "queries [..., n_q, d]" },
  k: { kind: "text", value: "K.npy", help: "keys [..., n_k, d]" },
  v: { kind: "text", value: "V.npy", help: "values [..., n_k, d_v]" },
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
 * @throws {UsageError} If there are not exactly three files or one workload, or a value is out of range.
 */
export function checkInputOptions(command: string, given: InputOptions): void {
  const files = [given.q, given.k, given.v].filter((path) => path !== undefined).length;
  if (given.workload !== undefined && files > 0) {
    throw new UsageError("Give either --workload or --q, --k and --v");
  }
  if (given.workload === undefined && files < 3) {
    throw new UsageError(`${command} needs --q, --k and --v, or --workload NAME`);
  }
  checkDevice(given.device);
  checkAtLeast(1, { n: given.n, batch: given.batch, threads: given.threads });
}

/** Refuses numbers of options that are smaller than they may be. */
export function checkAtLeast(least: number, numbers: Readonly<Record<string, number | undefined>>): void {
  for (const [name, number] of Object.entries(numbers)) {
    if (number !== undefined && number < least) {
      throw new UsageError(`--${name} must be at least ${least}: got ${number}`);
    }
  }
}

/**
 * Reads the tensors that the options name: three files, or a workload.
 *
 * @param seed Seed of the workload.
 */
export async function loadInputs(
  given: InputOptions,
  seed: number | undefined,
  progress: ProgressLine,
): Promise<Workload> {
  const { workload, n, batch, head } = given;
  if (workload === undefined) {
    const [query, key, value] = await Promise.all([readNpy(given.q!), readNpy(given.k!), readNpy(given.v!)]);
    const scale = 1 / Math.sqrt(query.shape[query.shape.length - 1]);
    return { name: "files", query, key, value, scale, description: `${given.q}, ${given.k}, ${given.v}` };
  }
  if (!workloadNames.includes(workload)) {
    throw new UsageError(
      `${unknownName(`workload ${workload}`, workload, workloadNames)}; workloads: ${
        workloadNames.join(", ")
      }`,
    );
  }
  return await loadWorkload(workload, { n, batch, seed, head, onProgress: progress.update });
}

/** What is attended and where, in two lines. */
export function describeInputs(
  { query, value, description }: Workload,
  { kind, adapter }: Pick<Device, "kind" | "adapter">,
): string {
  const [queries, features] = query.shape.slice(-2), [keys, width] = value.shape.slice(-2);
  const heads = sizeOf(query.shape.slice(0, -2));
  return `${description}\n${heads} head${
    heads === 1 ? "" : "s"
  }, ${queries} queries × ${keys} keys, d ${features}, d_v ${width}; ${kind}: ${adapter}`;
}
