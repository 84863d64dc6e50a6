import { formatName } from "../kernels/format_value.ts";
import type { Tensor } from "../kernels/tensor.ts";
import type { NamedInput } from "../proofs_checks/inputs/family.ts";

/** Exact attention at scale 1/√features of tensors [heads, n, features], for a layer whose input needs it. */
export type AttentionFunction = (
  query: Tensor,
  key: Tensor,
  value: Tensor,
) => Tensor | Promise<Tensor>;

/** What a caller may choose about a workload. */
export interface WorkloadOptions {
  /** Number of queries, and of keys; 4096 by default, 512 for `ocr`, fixed for those named after a layer. */
  readonly n?: number;
  /** Number of independent draws, the leading dimension; 1 by default. Real data: consecutive stretches. */
  readonly batch?: number;
  /** Seed of the generator, 1 by default; real data does not depend on it. */
  readonly seed?: number;
  /** `LAYER.HEAD` or `LAYER.all` of a pretrained model: "1.0" by default. */
  readonly head?: string;
  /** Attention for the layers below the chosen one, plain JavaScript by default; `ocr` brings its own. */
  readonly attention?: AttentionFunction;
  /** Told how far a slow step is. */
  readonly onProgress?: (done: number, total: number, what: string) => void;
  /** Stops the work with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** A workload: its record in the registry, `workloads.ts`, kept in the file that makes it. */
export interface Workload {
  readonly name: string;
  /** The heads of a pretrained model, of which one can be chosen; left out where there are none. */
  readonly heads?: readonly string[];
  /** How claims are checked on it, where it is real data. */
  readonly verifyAs?: RealData;
  /** Makes it; options are those of `loadWorkload`, checked, with their defaults filled in. */
  load(options: CheckedOptions): NamedInput | Promise<NamedInput>;
}

/** Real data as a source of inputs for claims. */
export interface RealData {
  /** What `verify --family` calls it. */
  readonly name: string;
  /** Rows that are read, of which runs take stretches. */
  readonly n: number;
  /** The heads that are loaded, of which each run takes one; the default head alone if left out. */
  readonly heads?: readonly string[];
}

/** {@link WorkloadOptions} after checking. */
export interface CheckedOptions extends WorkloadOptions {
  readonly batch: number;
  readonly seed: number;
}

/** An error about an option of a workload. */
export function optionError(name: string, rule: string, value: unknown): RangeError {
  return new RangeError(
    `Cannot load workload ${formatName(name)}: ${rule}: current value is ${formatName(value)}`,
  );
}
