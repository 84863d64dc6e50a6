import { bootstrapSlope } from "../statistics/slope.ts";
import type { ScalingPoint, ScalingSeries } from "./report.ts";

/** Smaller sizes tell of fixed costs: slopes start here where that leaves enough of them. */
const FROM = 4096;

/** Slopes of a series and its crossover against exact attention. */
export function withSlopes(
  series: Pick<ScalingSeries, "workload" | "method" | "mode" | "points">,
  exact: readonly ScalingPoint[] | undefined,
  seed: number,
): ScalingSeries {
  const measured = series.points.filter(({ extrapolated }) => !extrapolated);
  const large = measured.filter(({ n }) => n >= FROM), used = large.length >= 3 ? large : measured;
  const fit = (values: (point: ScalingPoint) => readonly number[]) =>
    used.length < 3 || used.some((point) => !(Math.min(...values(point)) > 0))
      ? null
      : bootstrapSlope(used.map((point) => ({ x: point.n, y: values(point) })), { seed });
  const time = fit((point) => point.all_seconds);
  // Counts and memory are measured once: the same value twice is an interval of no width, which is not given.
  const once = (value: (point: ScalingPoint) => number) =>
    fit((point) => [value(point), value(point)])?.slope ?? null;
  return {
    ...series,
    slope: time?.slope ?? null,
    slope_interval: time && [time.lower, time.upper],
    evaluations_slope: once((point) => point.key_evaluations),
    memory_slope: once((point) => point.peak_bytes ?? 0),
    crossover: exact && series.mode !== "exact" ? crossover(series.points, exact) : null,
  };
}

/** The n from which on a series takes less time than exact attention at every size, interpolated between sizes; null if none. */
export function crossover(points: readonly ScalingPoint[], exact: readonly ScalingPoint[]): number | null {
  const exactAt = new Map(exact.map(({ n, seconds }) => [n, seconds]));
  const ratios = points.filter(({ n }) => exactAt.has(n)).map(({ n, seconds }) => ({
    n,
    // ln of exact over this: positive where this is faster.
    gain: Math.log(exactAt.get(n)! / seconds),
  }));
  let found: number | null = null;
  for (let at = ratios.length - 1; at >= 0 && ratios[at].gain > 0; at--) {
    const before = ratios[at - 1];
    if (!before) found = ratios[at].n;
    else if (before.gain <= 0) {
      const share = -before.gain / (ratios[at].gain - before.gain);
      found = before.n * (ratios[at].n / before.n) ** share;
    }
  }
  return found;
}
