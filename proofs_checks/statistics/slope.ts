import { Purpose, RandomStream } from "../../kernels/random.ts";
import type { Interval } from "./binomial.ts";
import { check, checkOpenUnit } from "./check.ts";
import { sampleQuantile } from "./quantile.ts";
import { studentQuantile } from "./student.ts";

/** A fitted slope and its interval. */
export interface SlopeEstimate extends Interval {
  readonly slope: number;
}

/**
 * Exponent a of a power law y = c·x^a: the least-squares slope of ln y on ln x, with the interval of the classical linear
 * model, slope ± t_{n−2} · √(Σ residual² / ((n − 2) Σ (ln x − mean)²)). That model wants independent residuals of equal
 * variance about a true line; where each x was measured several times, {@link bootstrapSlope} does without.
 *
 * @example
 * ```ts
 * import { logLogSlope } from "./slope.ts";
 * console.log(logLogSlope([1, 2, 4, 8], [3, 12, 48, 192]).slope); // 2
 * ```
 *
 * @param x Positive numbers, not all equal, three at least.
 * @param y As many positive numbers.
 * @param confidence 0.95 by default.
 * @throws {RangeError} If there are too few points, a number is not positive, or all x are equal.
 */
export function logLogSlope(
  x: readonly number[],
  y: readonly number[],
  confidence = 0.95,
): SlopeEstimate {
  const action = "fit a log–log slope";
  checkOpenUnit(action, "confidence", confidence);
  check(action, x.length >= 3, "there must be at least three points", x.length);
  check(action, y.length === x.length, `there must be ${x.length} values of y`, y.length);
  const { slope, spread, residual } = fitLine(logarithms(action, "x", x), logarithms(action, "y", y));
  const degrees = x.length - 2;
  const width = studentQuantile((1 + confidence) / 2, degrees) * Math.sqrt(residual / degrees / spread);
  return { slope, lower: slope - width, upper: slope + width };
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
    fitLine(x, values.map((repetitions) => sampleQuantile(repetitions, 0.5))).slope;
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

/** Least squares: the slope, Σ (x − mean)² and the sum of squared residuals. */
function fitLine(
  x: readonly number[],
  y: readonly number[],
): { slope: number; spread: number; residual: number } {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanX = mean(x), meanY = mean(y);
  let spread = 0, product = 0;
  x.forEach((value, at) => {
    spread += (value - meanX) ** 2;
    product += (value - meanX) * (y[at] - meanY);
  });
  check("fit a slope", spread > 0, "there must be two different values of x", `${x.length} equal ones`);
  const slope = product / spread;
  const residual = x.reduce((sum, value, at) => sum + (y[at] - meanY - slope * (value - meanX)) ** 2, 0);
  return { slope, spread, residual };
}
