import { binomialUpperTail, type Interval } from "./binomial.ts";
import { check, checkOpenUnit } from "./check.ts";

/** An estimate and its interval. */
export interface QuantileEstimate extends Interval {
  readonly value: number;
}

/**
 * Sample quantile, interpolated between order statistics: definition 7 of Hyndman and Fan ("Sample quantiles in
 * statistical packages", The American Statistician 1996).
 *
 * @example
 * ```ts
 * import { sampleQuantile } from "./quantile.ts";
 * console.log(sampleQuantile([4, 1, 2, 3], 0.5)); // 2.5
 * ```
 *
 * @throws {RangeError} If the sample is empty or holds NaN, or the probability is out of range.
 */
export function sampleQuantile(sample: ArrayLike<number>, probability: number): number {
  return interpolate(sortedSample(sample), checkedProbability(probability));
}

/**
 * Sample quantile with a distribution-free confidence interval.
 *
 * The interval is [X₍ₗ₎, X₍ᵤ₎] with the largest l such that P[Bin(n, q) <= l − 1] and the smallest u such that
 * P[Bin(n, q) >= u] are at most half of what the confidence leaves (Thompson 1936; David and Nagaraja, "Order Statistics",
 * 7.1); an end that n values cannot give is infinite. It covers with at least the confidence, for any distribution.
 *
 * @example
 * ```ts
 * import { quantile } from "./quantile.ts";
 * console.log(quantile([5, 1, 4, 2, 3, 6, 7], 0.5)); // { value: 4, lower: 1, upper: 7 }
 * ```
 *
 * @param sample Numbers in any order.
 * @param probability q, strictly between 0 and 1.
 * @param confidence 0.95 by default.
 * @throws {RangeError} If the sample is empty or holds NaN, or a probability is out of range.
 */
export function quantile(
  sample: ArrayLike<number>,
  probability: number,
  confidence = 0.95,
): QuantileEstimate {
  checkedProbability(probability);
  checkOpenUnit(ACTION, "confidence", confidence);
  const sorted = sortedSample(sample), n = sorted.length, level = (1 - confidence) / 2;
  // P[Bin <= l − 1] is the probability of at least n − l + 1 values above the quantile.
  const lower = n - rareFrom(n, 1 - probability, level), upper = rareFrom(n, probability, level) - 1;
  return {
    value: interpolate(sorted, probability),
    lower: lower < 0 ? -Infinity : sorted[lower],
    upper: upper >= n ? Infinity : sorted[upper],
  };
}

/** The smallest count k with P[Bin(n, p) >= k] <= level; n + 1 if there is none. */
function rareFrom(n: number, p: number, level: number): number {
  let common = 0, rare = n + 1;
  while (rare - common > 1) {
    const middle = Math.floor((common + rare) / 2);
    if (binomialUpperTail(middle, n, p) <= level) rare = middle;
    else common = middle;
  }
  return rare;
}

const ACTION = "take a quantile";

function checkedProbability(probability: number): number {
  checkOpenUnit(ACTION, "probability", probability);
  return probability;
}

function sortedSample(sample: ArrayLike<number>): Float64Array {
  check(ACTION, sample.length > 0, "there must be at least one value", sample.length);
  const sorted = Float64Array.from(sample).sort();
  check(ACTION, !Number.isNaN(sorted[sorted.length - 1]), "values must be numbers", NaN);
  return sorted;
}

function interpolate(sorted: Float64Array, probability: number): number {
  const at = (sorted.length - 1) * probability, below = Math.floor(at), above = Math.ceil(at);
  return below === above ? sorted[below] : sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

/**
 * Median with a distribution-free confidence interval; see {@link quantile}. The interval is finite from 6 values on at
 * the default confidence of 0.95.
 *
 * @example
 * ```ts
 * import { median } from "./quantile.ts";
 * console.log(median([1, 2, 3, 4, 5, 6])); // { value: 3.5, lower: 1, upper: 6 }
 * ```
 *
 * @throws {RangeError} As {@link quantile}.
 */
export function median(sample: ArrayLike<number>, confidence = 0.95): QuantileEstimate {
  return quantile(sample, 0.5, confidence);
}
