import { attention, type AttentionResult } from "../../estimators/attention/attention.ts";
import { approximateMethods, type MethodName } from "../../estimators/methods/methods.ts";
import { sizeOf, type Tensor } from "../../kernels/tensor.ts";
import { relativeOutputError } from "../measures/spectral.ts";
import type { MemoryQuestion } from "../scaling/options.ts";
import { sampleQuantile } from "../statistics/quantile.ts";
import type { NamedInput } from "../inputs/family.ts";
import type { CheckedComparison } from "./options.ts";
import type { ComparisonPoint } from "./report.ts";

/** A method at a budget, and what is known of it so far. */
export interface Entry {
  point: ComparisonPoint;
  readonly run: (seed: number) => Promise<AttentionResult>;
  /** What memory is asked for: the options that `run` gives, without those of the input. */
  readonly options: MemoryQuestion["options"];
}

/** A point before it is measured. */
const UNKNOWN = {
  ran: null,
  seconds: null,
  "all_seconds": [],
  speedup: null,
  "evaluations_per_query": null,
  error: null,
  "worst_error": null,
  errors: [],
  "product_error": null,
  "peak_bytes": null,
  front: false,
  "front_of_evaluations": false,
  "fell_back": null,
  refused: null,
};

/** Exact attention, and every other method at every budget. */
export function makeEntries(
  { query, key, value, scale }: NamedInput,
  { methods, budgets, causal, device, signal, attend = attention }: CheckedComparison,
): { readonly exact: Entry; readonly others: readonly Entry[] } {
  const entry = (method: MethodName, budget: number | null): Entry => {
    const samples = budget ?? 0, bucket = Math.floor(samples / 2);
    const keys = budget === null ? {} : { bucketSize: bucket, samples };
    return {
      point: { ...UNKNOWN, method, budget, bucket, samples },
      options: { method, ...keys },
      run: (seed) => attend(query, key, value, { method, ...keys, seed, scale, causal, device, signal }),
    };
  };
  const approximate = methods.filter((method) => method !== "exact");
  return {
    exact: entry("exact", null),
    others: approximate.flatMap((method) => budgets.map((budget) => entry(method, budget))),
  };
}

/**
 * Runs exact attention once and notes it.
 *
 * @returns Its output, [..., n_q, d_v], of which the errors of the others are measured.
 */
export async function measureExact(entry: Entry, seed: number): Promise<Tensor> {
  const { output, stats } = await entry.run(seed);
  note(entry, [{ stats, error: 0, productError: 0, queries: queriesOf(output) }]);
  return output;
}

/** Runs of one method at one budget. */
export interface Runs {
  /** The first seed, and how many. */
  readonly seed: number;
  readonly seeds: number;
  /** No other run is started after so many seconds of them. */
  readonly mostSeconds: number;
}

/** What errors are measured by. */
export interface Yardstick {
  /** The exact output. */
  readonly exact: Tensor;
  /** ‖Att‖/(‖P‖·‖V‖) of each head, where it is known. */
  readonly products: readonly number[] | undefined;
}

/**
 * Runs a method with each seed and notes its errors, or why it refuses.
 *
 * @returns The seconds of each run.
 */
export async function measureErrors(
  entry: Entry,
  { seed, seeds, mostSeconds }: Runs,
  { exact, products }: Yardstick,
): Promise<number[]> {
  const runs: Run[] = [], random = drawsAnything(entry.point.method as MethodName), start = performance.now();
  for (let at = 0; at < seeds; at++) {
    if (at > 0 && performance.now() - start > 1000 * mostSeconds) break;
    // Exact attention is what all are timed against.
    if (at > 0 && !random && entry.point.budget !== null) {
      runs.push(runs[0]);
      continue;
    }
    let result: AttentionResult;
    try {
      result = await entry.run(seed + at);
    } catch (error) {
      // Exact attention took the same input, so that this is about the method. Lost devices and aborts are not.
      if (!(error instanceof RangeError)) throw error;
      entry.point = { ...entry.point, refused: error.message };
      return [];
    }
    const { output, stats } = result, errors = relativeOutputError(output, exact);
    const productError = products ? Math.max(...errors.map((error, head) => error * products[head])) : null;
    runs.push({ stats, error: Math.max(...errors), productError, queries: queriesOf(exact) });
  }
  note(entry, runs);
  return runs.map(({ stats }) => stats.seconds);
}

/** Whether another seed may give another result. */
function drawsAnything(method: MethodName): boolean {
  return method === "auto" || method !== "exact" && approximateMethods[method].random;
}

/** What is kept of a run: outputs are large. */
interface Run {
  readonly stats: AttentionResult["stats"];
  readonly error: number;
  readonly productError: number | null;
  /** Queries of all heads. */
  readonly queries: number;
}

const queriesOf = ({ shape }: Tensor) => sizeOf(shape.slice(0, -1));

function note(entry: Entry, runs: readonly Run[]): void {
  const errors = runs.map(({ error }) => error), [{ stats }] = runs;
  entry.point = {
    ...entry.point,
    ran: stats.method,
    evaluations_per_query: sampleQuantile(
      runs.map((run) => run.stats.keyEvaluations / run.queries),
      0.5,
    ),
    error: sampleQuantile(errors, 0.5),
    worst_error: Math.max(...errors),
    errors,
    "product_error": medianOfKnown(runs.map(({ productError }) => productError)),
    fell_back: stats.fellBack,
  };
}

function medianOfKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === values.length ? sampleQuantile(known, 0.5) : null;
}
