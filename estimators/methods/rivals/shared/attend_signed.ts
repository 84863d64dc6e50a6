import type { Backend } from "../../../../kernels/backend.ts";
import type { HostAttention } from "../../../core/exact.ts";
import type { Problem } from "../../../core/problem.ts";
import { attendKept, type KeptKeys } from "./attend_kept.ts";
import { clipColumns, columnRanges } from "./column_ranges.ts";

/** Kept keys whose weights may be negative. */
export interface SignedKeys extends KeptKeys {
  /** [count]: each with its `value` is in units of e^logWeight; the weights of a softmax are their products. */
  readonly mass: Float32Array;
}

/** Of the weights without their signs, what those with them must come to: less is rounding. */
const LEAST_MASS = 2 ** -20;

/**
 * Σ e^(logit + logWeight) value / Σ e^(logit + logWeight) mass for all queries: one softmax over values with a further column, the mass,
 * by which the others are divided. Where the masses cancel, what a query sees is unknown, and the mean value stands for it.
 *
 * @param given Values of all keys: no output leaves their range, as none of attention does.
 */
export async function attendSigned(
  backend: Backend,
  problem: Problem,
  query: Float32Array,
  { key, value, logWeights, mass }: SignedKeys,
  given: Float32Array,
  signal?: AbortSignal,
): Promise<HostAttention> {
  const { valueFeatures: width, queries } = problem, wide = width + 1;
  const values = new Float32Array(mass.length * wide);
  mass.forEach((own, row) => {
    values.set(value.subarray(row * width, (row + 1) * width), row * wide);
    values[row * wide + width] = own;
  });
  const weighted = { key, value: values, logWeights };
  const found = await attendKept(backend, { ...problem, valueFeatures: wide }, query, weighted, signal);
  const output = new Float32Array(queries * width), ranges = columnRanges(given, width);
  for (let row = 0; row < queries; row++) {
    const total = found.output[row * wide + width], known = total > LEAST_MASS;
    for (let c = 0; c < width; c++) {
      output[row * width + c] = known ? found.output[row * wide + c] / total : ranges.mean[c];
    }
    found.logSumExp[row] += Math.log(Math.max(total, LEAST_MASS));
  }
  clipColumns(output, ranges);
  return { output, logSumExp: found.logSumExp };
}
