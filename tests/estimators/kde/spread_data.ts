import { RandomStream } from "../../../kernels/random.ts";
import { normals } from "../../data.ts";

/** Points and queries in the units of a user, with a bandwidth in the same. */
export interface SpreadData {
  readonly points: Float32Array;
  readonly queries: Float32Array;
  readonly features: number;
  readonly bandwidth: number;
  /** What was drawn, for messages. */
  readonly what: string;
}

const f = Math.fround;
/** A number of the tests' own above 255. */
const PURPOSE = 7007;
const FEATURES = [1, 2, 3, 5, 8, 17, 64, 300];
const BANDWIDTHS = [1, 3, 1e-3, 0.37, 1e30, 1e-30, 512];

/**
 * Clusters some bandwidths wide, 1 to 10^7 bandwidths apart, up to 1.6·10^7 bandwidths away from 0, at times with one point
 * 10^10 or 10^20 bandwidths out. Queries are points, neighbours of points, and rows far from all.
 */
export function spreadData(seed: number): SpreadData {
  const stream = new RandomStream(seed, PURPOSE),
    pick = <T>(of: readonly T[]) => of[stream.integer(of.length)];
  const features = pick(FEATURES), bandwidth = pick(BANDWIDTHS), count = 1 + stream.integer(120);
  const spread = 10 ** (7 * stream.uniform()), offset = pick([0, 0, 1e3, 1e5, 1.6e7]);
  const clusters = 1 + stream.integer(8), width = pick([0, 0.1, 1, 3]);
  const centres = Array.from({ length: clusters * features }, () => offset + spread * stream.normal());
  const draw = (rows: number) =>
    Float32Array.from({ length: rows * features }, (_, at) => {
      const cluster = Math.floor(at / features) % clusters;
      return bandwidth * (centres[cluster * features + at % features] + width * stream.normal());
    });
  const points = draw(count), far = pick([0, 0, 1e10, 1e20]);
  if (far > 0) points[stream.integer(points.length)] = Math.min(far * bandwidth, 1e37);
  const own = points.slice(0, 4 * features), beside = own.map((x) => f(x + bandwidth * stream.normal()));
  const away = normals(seed, 2 * features).map((x) => f(bandwidth * (offset + 3 * spread * x)));
  const queries = Float32Array.of(...own, ...beside, ...draw(4), ...away);
  const what = JSON.stringify({ seed, features, bandwidth, count, spread, offset, clusters, width, far });
  return { points, queries, features, bandwidth, what };
}

/** Squared distances in bandwidths, [rows of a, rows of b]; `round` is applied to the result of every operation. */
export function squaredDistances(
  a: Float32Array,
  b: Float32Array,
  features: number,
  bandwidth: number,
  round: (x: number) => number,
): Float64Array {
  const others = b.length / features, h = round(bandwidth);
  return Float64Array.from({ length: a.length / features * others }, (_, at) => {
    const row = Math.floor(at / others) * features, other = at % others * features;
    let sum = 0;
    for (let t = 0; t < features; t++) {
      const difference = round(round(a[row + t] - b[other + t]) / h);
      sum = round(sum + round(difference * difference));
    }
    return sum;
  });
}

/** ln Σ e^(−s/2) over squared distances s, largest first; `round` is applied to the result of every operation. */
export function logKernelSum(squared: Float64Array, round: (x: number) => number): number {
  const least = squared.reduce((a, b) => Math.min(a, b), Infinity);
  let total = 0;
  for (const s of squared) total = round(total + round(Math.exp(round(round(least - s) / 2))));
  return round(round(-least / 2) + round(Math.log(total)));
}
