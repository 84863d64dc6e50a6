import type { DeviceKind } from "../../kernels/backend.ts";

/** Name of the form of {@link ComparisonReport}. */
export const COMPARISON_SCHEMA = "kdeformer-comparison";
/** Version of that form; raised when a reader of the old form would misread the new one. */
export const COMPARISON_VERSION = 1;

/** One method at one budget; exact attention has no budget. docs/verification.md explains every field. */
export interface ComparisonPoint {
  readonly method: string;
  /** The method that ran, where "auto" chose; null where the problem was refused. */
  readonly ran: string | null;
  /** f: the method was given `samples` = f and `bucket` = ⌊f/2⌋. Null for exact attention. */
  readonly budget: number | null;
  readonly bucket: number;
  readonly samples: number;
  /** Median of the rounds; null, like every measurement, where the problem was refused. */
  readonly seconds: number | null;
  /** Every round. */
  readonly "all_seconds": readonly number[];
  /** Median time of exact attention over this one. */
  readonly speedup: number | null;
  /** Inner products of a query and a key for each query, median over seeds. */
  readonly "evaluations_per_query": number | null;
  /** ‖Att~ − Att‖/‖Att‖ in operator norm, the largest over the heads: median over seeds, and worst. */
  readonly error: number | null;
  readonly "worst_error": number | null;
  /** That error with every seed. */
  readonly errors: readonly number[];
  /** Whether no other point is both faster and more accurate, by medians. */
  readonly front: boolean;
  /** Why a better device was given up, or null. */
  readonly "fell_back": string | null;
  /** Why the method does not take the problem, or null. */
  readonly refused: string | null;
}

/** What was attended. */
export interface ComparedProblem {
  readonly workload: string;
  readonly description: string;
  readonly "n_q": number;
  readonly "n_k": number;
  readonly d: number;
  readonly "d_v": number;
  readonly heads: number;
  readonly scale: number;
  readonly causal: boolean;
}

/** Everything that `compare` found. */
export interface ComparisonReport {
  readonly schema: typeof COMPARISON_SCHEMA;
  readonly version: number;
  readonly problem: ComparedProblem;
  readonly device: DeviceKind;
  readonly adapter: string;
  /** First of the seeds of the methods; the others follow it. */
  readonly seed: number;
  readonly seeds: number;
  /** Timed rounds. */
  readonly repeat: number;
  /** How long it all took. */
  readonly seconds: number;
  /** Exact attention first. */
  readonly points: readonly ComparisonPoint[];
  readonly replay: string;
}

/** A point that was measured. */
export type MeasuredPoint = ComparisonPoint & { readonly seconds: number; readonly error: number };

/** Whether the method took the problem. */
export function isMeasured(point: ComparisonPoint): point is MeasuredPoint {
  return point.refused === null;
}
