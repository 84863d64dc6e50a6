import type { DeviceKind } from "../../kernels/backend.ts";

/** Name of the form of {@link ComparisonReport}. */
export const COMPARISON_SCHEMA = "kdeformer-comparison";
/** Name of the form of {@link ComparisonsReport}. */
export const COMPARISONS_SCHEMA = "kdeformer-comparisons";
/** Version of these forms; raised when a reader of the old form would misread the new one. */
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
  /** That error with every seed; with fewer of them where several inputs are compared and runs are slow. */
  readonly errors: readonly number[];
  /** ‖Att~ − Att‖/(‖P‖·‖V‖), the largest over the heads, median over seeds; null in causal order. */
  readonly "product_error": number | null;
  /** Whether no other point is both faster and more accurate, by medians. */
  readonly front: boolean;
  /** Whether no other point takes fewer evaluations and is more accurate, by medians. */
  readonly "front_of_evaluations": boolean;
  /** Growth of resident memory in a process that attends once, its input not counted; null where it was not measured. */
  readonly "peak_bytes": number | null;
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
  /** Timed rounds; 0 where times are those of the runs that tell errors. */
  readonly repeat: number;
  /** How long it all took. */
  readonly seconds: number;
  /** ‖A − Att‖/‖Att‖, the largest over the heads, of A, the mean of the values that a query sees: what an answer is worth that knows no query. */
  readonly "mean_value_error": number;
  /** Exact attention first. */
  readonly points: readonly ComparisonPoint[];
  readonly replay: string;
}

/** Where a method stands among all, over inputs and budgets. */
export interface MethodRank {
  readonly method: string;
  /** Inputs times budgets on which it approximated, on which it attended exactly, and on which it refused. */
  readonly measured: number;
  readonly exact: number;
  readonly refused: number;
  /** Mean place by error among the methods at the same input and budget, 1 being the best; ties share the mean of theirs. */
  readonly "mean_rank": number | null;
  /** Where its error is the least, or equal to that. */
  readonly best: number;
  /** Geometric mean of its error over the least one at the same input and budget; null where that is 0 somewhere. */
  readonly "error_to_best": number | null;
  /** Points on the front of error and time, and on that of error and evaluations. */
  readonly "on_front": number;
  readonly "on_front_of_evaluations": number;
  /** Median of its evaluations over 1.5 f, what a budget of f allows for each query: more than 1 where it does not keep to it. */
  readonly "evaluations_to_budget": number | null;
  /** Geometric mean of exact attention's time over its own. */
  readonly speedup: number | null;
}

/** What `compare` found on several inputs. */
export interface ComparisonsReport {
  readonly schema: typeof COMPARISONS_SCHEMA;
  readonly version: number;
  readonly device: DeviceKind;
  readonly adapter: string;
  readonly seconds: number;
  /** Whether it was stopped before the last input. */
  readonly interrupted: boolean;
  /** By mean rank, the best first. */
  readonly ranks: readonly MethodRank[];
  readonly comparisons: readonly ComparisonReport[];
  readonly replay: string;
}

/** A point that was measured. */
export type MeasuredPoint = ComparisonPoint & { readonly seconds: number; readonly error: number };

/** Whether the method took the problem. */
export function isMeasured(point: ComparisonPoint): point is MeasuredPoint {
  return point.refused === null;
}
