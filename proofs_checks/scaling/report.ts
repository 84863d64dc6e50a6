import type { DeviceKind } from "../../kernels/backend.ts";

/** Name of the form of {@link ScalingReport}. */
export const SCALING_SCHEMA = "kdeformer-scaling";

/** One size. docs/verification.md explains every field. */
export interface ScalingPoint {
  readonly n: number;
  /** Median of the repetitions, the certificate included where there is one. */
  readonly seconds: number;
  /** Every repetition. */
  readonly "all_seconds": readonly number[];
  readonly "key_evaluations": number;
  /** Growth of the process's resident memory in a run in a process of its own, inputs not counted; null where it cannot be read. */
  readonly "peak_bytes": number | null;
  /** √(n_q/|R|) ‖E_R‖/‖V‖ on sampled rows R computed exactly, at least the error relative to ‖P‖‖V‖; null where not measured. */
  readonly error: number | null;
  /** ‖E_R‖/‖Att_R‖ on the same rows. */
  readonly "error_output": number | null;
  /** True where the time is that of a smaller n, times the square of the ratio. */
  readonly extrapolated: boolean;
  /** Why the output is exact although an error was allowed, or null. */
  readonly "fell_back": string | null;
}

/** One method on one workload. */
export interface ScalingSeries {
  readonly workload: string;
  readonly method: string;
  readonly mode: "exact" | "fixed-budget" | "fixed-epsilon";
  readonly points: readonly ScalingPoint[];
  /** Exponent of seconds in n, over measured points of 4,096 and more where there are three, and its 95 % bootstrap interval. */
  readonly slope: number | null;
  readonly "slope_interval": readonly [number, number] | null;
  /** Exponent of key evaluations in n. */
  readonly "evaluations_slope": number | null;
  /** Exponent of the memory's growth in n. */
  readonly "memory_slope": number | null;
  /** From this n on it takes less time than exact attention, interpolated; null if nowhere, and for exact attention. */
  readonly crossover: number | null;
}

/** Everything that `scaling` found. */
export interface ScalingReport {
  readonly schema: typeof SCALING_SCHEMA;
  readonly version: number;
  readonly seed: number;
  readonly device: DeviceKind;
  readonly adapter: string;
  readonly epsilon: number;
  readonly budget: { readonly bucket: number; readonly samples: number };
  readonly seconds: number;
  readonly series: readonly ScalingSeries[];
  readonly replay: string;
}
