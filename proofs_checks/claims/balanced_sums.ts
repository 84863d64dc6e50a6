import type { Problem } from "../../estimators/core/problem.ts";
import type { Oracle } from "../measures/oracle.ts";
import { NotApplicable } from "../engine/outcome.ts";

/**
 * A walk of signs in the space of a kernel: Σ ±φ(k)⊗(v, √offset) with ‖φ(k)‖² = e^(scale ‖k‖²). Signs that lean against the sum before them by
 * its product a with the next step, odds ½ − a/(2L b) for steps of at most b, leave a sum that is sub-Gaussian in every direction:
 * see docs/theory.md §4.2.
 */
export interface SignedSum {
  /** ln of the deviation in directions of length 1: of √(b² L² / (2L − 1)), summed as it is where sums are independent. */
  readonly logDeviation: number;
  /** How many directions it is asked in at once, at most, beside the rows and columns of the output; 1 if left out. */
  readonly times?: number;
  /** What products of values are raised by in the kernel. */
  readonly offset: number;
  /** Chance that it is further off in some direction. */
  readonly delta: number;
}

/** Variance of a sum of signed steps of length 1 at most, in directions of length 1. */
export function walkVariance(limit: number): number {
  return limit ** 2 / (2 * limit - 1);
}

/**
 * The largest |Att~ − Att| that a sum of keys allows which is off by a signed sum: with probability 1 − δ in no row and no column
 * |ΔN − Att ΔD| exceeds z σ e^(scale ‖q‖²/2) √(1 + Att²/offset), nor |ΔD| the same with 1/√offset, z = √(2 ln(2 directions/δ)).
 *
 * @param logSums [queries]: ln Σ e^(scale ⟨q, k⟩) of the keys that the kernel is about, which may be centred.
 */
export function balancedBound(
  { problem: { queries, query, features, valueFeatures, scale }, output }: Oracle,
  logSums: ArrayLike<number>,
  { logDeviation, times = 1, offset, delta }: SignedSum,
): number {
  const directions = queries * (valueFeatures + 1) * times,
    quantile = Math.sqrt(2 * Math.log(2 * directions / delta));
  let largest = 0;
  for (let i = 0; i < queries; i++) {
    const square = squareOf(query, features, i);
    const share = quantile * Math.exp(scale * square / 2 + logDeviation - logSums[i]);
    const left = 1 - share / Math.sqrt(offset);
    for (let c = 0; c < valueFeatures; c++) {
      const reach = share * Math.sqrt(1 + output[i * valueFeatures + c] ** 2 / offset);
      largest = Math.max(largest, left > 0 ? reach / left : Infinity);
    }
  }
  return largest;
}

/** ‖row‖² of rows of so many numbers. */
export function squareOf(rows: ArrayLike<number>, width: number, row: number): number {
  let sum = 0;
  for (let c = 0, at = row * width; c < width; c++, at++) sum += rows[at] ** 2;
  return sum;
}

/** ln of the largest kernel of a key with itself, e^(scale ‖k‖²) (‖v‖² + offset): the square of the longest step. */
export function logLargestKernel(
  keyRows: ArrayLike<number>,
  { keys, value, features, valueFeatures, scale }: Problem,
  offset: number,
): number {
  let largest = -Infinity;
  for (let l = 0; l < keys; l++) {
    const square = squareOf(value, valueFeatures, l) + offset;
    largest = Math.max(largest, scale * squareOf(keyRows, features, l) + Math.log(square));
  }
  return largest;
}

/** Keys less their mean, in float64, and ln Σ e^(scale ⟨q, k⟩) of these. */
export function centredKeys(
  { problem: { queries, keys, query, key, features, scale }, logRowSums }: Oracle,
): { readonly centred: Float64Array; readonly logSums: Float64Array } {
  const mean = new Float64Array(features);
  for (let at = 0; at < key.length; at++) mean[at % features] += key[at] / keys;
  const logSums = Float64Array.from({ length: queries }, (_, i) => {
    let product = 0;
    for (let c = 0; c < features; c++) product += query[i * features + c] * mean[c];
    return logRowSums[i] - scale * product;
  });
  return { centred: Float64Array.from(key, (x, at) => x - mean[at % features]), logSums };
}

/** The largest |Att~ − Att|. */
export function largestError({ output }: Oracle, found: ArrayLike<number>): number {
  let largest = 0;
  for (let at = 0; at < output.length; at++) {
    const error = Math.abs(found[at] - output[at]);
    if (!(error <= largest)) largest = error;
  }
  return largest;
}

/**
 * Says that a bound on outputs is none: any mean of values is as near as that.
 *
 * @throws {NotApplicable} In the first run, if the bound is not below twice the largest value.
 */
export function checkSays(bound: number, { problem: { largestValue } }: Oracle, run: number): void {
  if (run > 0 || bound < 2 * largestValue) return;
  throw new NotApplicable(
    `the bound says nothing: ${bound.toPrecision(2)} where values are at most ${largestValue.toPrecision(2)}`,
  );
}
