import type { AttentionOptions } from "../../estimators/attention/options.ts";
import { type MethodName, methods } from "../../estimators/methods/methods.ts";
import type { DeviceKind } from "../../kernels/backend.ts";
import { deviceKinds } from "../../kernels/device_kinds.ts";
import { checkOptionNames } from "../../kernels/check_options.ts";
import {
  checkFraction,
  checkFunction,
  checkInteger,
  checkNumber,
  checkOneOf,
  checkText,
  checkTexts,
} from "../../kernels/check_values.ts";
import type { AttentionInput } from "../inputs/family.ts";
import type { ScalingPoint, ScalingSeries } from "./report.ts";

/** Of what the peak growth of memory is asked. */
export interface MemoryQuestion {
  readonly workload: string;
  readonly n: number;
  readonly seed: number;
  readonly device: DeviceKind;
  readonly options: Pick<AttentionOptions, "method" | "bucketSize" | "samples" | "seed" | "scale" | "causal">;
}

/** Options of `measureScaling`. */
export interface ScalingOptions {
  /** Smallest and largest n, 1,024 and 16,384 by default; the sizes between are doublings of the smallest. */
  readonly min?: number;
  readonly max?: number;
  /** Error to certify, 0.3 by default. */
  readonly epsilon?: number;
  /** Names of workloads, gaussian and clustered by default. */
  readonly workloads?: readonly string[];
  /** Method at a fixed budget, "kdeformer-practical" by default; at a fixed error it is "auto". */
  readonly method?: MethodName;
  readonly seed?: number;
  readonly device?: DeviceKind;
  /** Seconds that one run may take: beyond, exact attention is extrapolated and others are left out; 60 by default. */
  readonly limit?: number;
  /** The command that repeats the measurement. */
  readonly replay?: string;
  /** Makes the input of a workload; null if it has none of that size. By default one of the generated families. */
  readonly load?: (workload: string, n: number, seed: number) => Promise<AttentionInput | null>;
  /** Measures memory; where it is left out memory is not measured. */
  readonly peakMemory?: (question: MemoryQuestion) => Promise<number | null>;
  readonly onPoint?: (workload: string, mode: ScalingSeries["mode"], point: ScalingPoint) => void;
}

/** Keys per query at a fixed budget. */
export const BUDGET = { bucket: 64, samples: 128 } as const;

/** Every option of `measureScaling`: the compiler keeps the list complete. */
const names = Object.keys(
  {
    min: true,
    max: true,
    epsilon: true,
    workloads: true,
    method: true,
    seed: true,
    device: true,
    limit: true,
    replay: true,
    load: true,
    peakMemory: true,
    onPoint: true,
  } satisfies Record<keyof Required<ScalingOptions>, true>,
);

const ACTION = "measure scaling";

/**
 * Checks the options of `measureScaling`; names of workloads are looked up where they are used.
 *
 * @throws {TypeError} If one is unknown or of the wrong type.
 * @throws {RangeError} If one is out of range.
 */
export function checkScaling(options: ScalingOptions): void {
  checkOptionNames(ACTION, options, names);
  const { min, max, epsilon, workloads, method, seed, device, limit, replay } = options;
  if (min !== undefined) checkInteger(ACTION, "min", min, 1);
  if (max !== undefined) checkInteger(ACTION, "max", max, 1);
  if (epsilon !== undefined) checkFraction(ACTION, "epsilon", epsilon);
  if (workloads !== undefined) checkTexts(ACTION, "workloads", workloads);
  if (method !== undefined) checkOneOf(ACTION, "method", method, methods);
  if (seed !== undefined) checkInteger(ACTION, "seed", seed, 0);
  if (device !== undefined) checkOneOf(ACTION, "device", device, deviceKinds);
  if (limit !== undefined) {
    checkNumber(ACTION, "limit", limit, "a positive number of seconds", (seconds) => seconds > 0);
  }
  if (replay !== undefined) checkText(ACTION, "replay", replay);
  for (const name of ["load", "peakMemory", "onPoint"] as const) {
    if (options[name] !== undefined) checkFunction(ACTION, name, options[name]);
  }
}
