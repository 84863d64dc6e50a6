import { Purpose, RandomStream } from "../../kernels/random.ts";
import type { Interval } from "./binomial.ts";
import { check, checkOpenUnit } from "./check.ts";
import { sampleQuantile } from "./quantile.ts";

/** A fitted slope and its interval. */
export interface SlopeEstimate extends Interval {
  readonly slope: number;
}

/** What was measured at one x. */
export interface RepeatedMeasurement {
  readonly x: number;
  /** Independent repetitions, two at least. */
  readonly y: readonly number[];
}

/**
 * Exponent of a power law from repeated measurements: the least-squares slope of the median of ln y on ln x, with a percentile
 * bootstrap interval (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 9 and 13). The
 * repetitions of each x are resampled among themselves, x being chosen and not random. The interval is approximate, and
 * short when repetitions are few; it covers what repeating varies, not that the law may be no power law.
 *
 * @example
 * ```ts
 * import { bootstrapSlope } from "./slope.ts";
 * const measured = [1, 10, 100].map((x) => ({ x, y: [x, 1.1 * x, 0.9 * x] }));
 * const { slope, lower, upper } = bootstrapSlope(measured, { seed: 1 });
 * console.log(slope.toFixed(3), lower < 1 && upper > 1); // 1.000 true
 * ```
 *
 * @param measured Two different x at least.
 * @param options Seed of the resampling; number of resamples, 2000 by default; confidence, 0.95 by default.
 * @throws {RangeError} If there are too few measurements, a number is not positive, or all x are equal.
 */
export function bootstrapSlope(
  measured: readonly RepeatedMeasurement[],
  { seed, resamples = 2000, confidence = 0.95 }: {
    readonly seed: number;
    readonly resamples?: number;
    readonly confidence?: number;
  },
): SlopeEstimate {
  const action = "bootstrap a slope";
  checkOpenUnit(action, "confidence", confidence);
  check(
    action,
    Number.isSafeInteger(resamples) && resamples >= 1,
    "resamples must be a positive integer",
    resamples,
  );
  const x = logarithms(action, "x", measured.map((point) => point.x));
  const y = measured.map((point) => {
    check(action, point.y.length >= 2, `x = ${point.x} must have at least two values of y`, point.y.length);
    return logarithms(action, "y", point.y);
  });
  const slopeOf = (values: readonly (readonly number[])[]) =>
    leastSquaresSlope(x, values.map((repetitions) => sampleQuantile(repetitions, 0.5)));
  const random = new RandomStream(seed, Purpose.bootstrap);
  const slopes = Float64Array.from(
    { length: resamples },
    () => slopeOf(y.map((values) => values.map(() => values[random.integer(values.length)]))),
  );
  return {
    slope: slopeOf(y),
    lower: sampleQuantile(slopes, (1 - confidence) / 2),
    upper: sampleQuantile(slopes, (1 + confidence) / 2),
  };
}

function logarithms(action: string, name: string, values: readonly number[]): number[] {
  return values.map((value) => {
    check(action, value > 0 && value < Infinity, `${name} must be positive and finite`, value);
    return Math.log(value);
  });
}

/**
 * Slope of the least-squares line of y on x. NaN among y gives NaN.
 *
 * @throws {RangeError} If there are not as many x as y, or no two different ones.
 */
export function leastSquaresSlope(x: readonly number[], y: readonly number[]): number {
  const action = "fit a slope";
  check(action, y.length === x.length, `there must be ${x.length} values of y`, y.length);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanX = mean(x), meanY = mean(y);
  let spread = 0, product = 0;
  x.forEach((value, at) => {
    spread += (value - meanX) ** 2;
    product += (value - meanX) * (y[at] - meanY);
  });
  check(action, spread > 0, "there must be two different values of x", `${x.length} equal ones`);
  return product / spread;
}
