import { check, checkOpenUnit } from "./check.ts";

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
