import { Purpose, RandomStream } from "../../kernels/random.ts";
import { logSumExp } from "../../estimators/kde/log_domain.ts";
import type { AttentionInput } from "../inputs/family.ts";

/** Points, queries and their true densities. */
export interface DensityInput {
  readonly points: Float32Array;
  readonly queries: Float32Array;
  readonly features: number;
  /** [queries], by the definition in float64. */
  readonly density: Float64Array;
}

/**
 * Keys as points and queries as queries, in units of the bandwidth at which the median density of the queries is `typical`:
 * with every density near 0 or 1 an estimator would have nothing to get wrong.
 */
export function densityInput({ query, key }: AttentionInput, typical: number): DensityInput {
  const features = key.shape[2], count = key.shape[1], queries = query.shape[1];
  const squared = Float64Array.from({ length: queries * count }, (_, at) => {
    const i = Math.floor(at / count), j = at % count;
    let sum = 0;
    for (let t = 0; t < features; t++) {
      sum += (query.data[i * features + t] - key.data[j * features + t]) ** 2;
    }
    return sum;
  });
  const densitiesAt = (bandwidth: number) =>
    Float64Array.from(
      { length: queries },
      (_, i) =>
        Math.exp(
          logSumExp(squared.subarray(i * count, (i + 1) * count).map((s) => -s / (2 * bandwidth ** 2))) -
            Math.log(count),
        ),
    );
  let low = 1e-3, high = 1e4;
  for (let step = 0; step < 30; step++) {
    const middle = Math.sqrt(low * high);
    if (densitiesAt(middle).sort()[queries >> 1] < typical) low = middle;
    else high = middle;
  }
  const scaled = (rows: Float32Array) => rows.map((x) => x / high);
  return { points: scaled(key.data), queries: scaled(query.data), features, density: densitiesAt(high) };
}

/**
 * The least favourable points for a sample: a share of them on the query and the others beyond the kernel's reach, so that every kernel
 * value is 1 or 0. The share lies between `least` and `most`.
 */
export function shareOnQuery(
  { n, features, queries, seed, least, most, scattered = false }: {
    readonly n: number;
    readonly features: number;
    /** Equal queries. */
    readonly queries: number;
    readonly seed: number;
    readonly least: number;
    readonly most: number;
    /** Whether they never come first: then the middle of the points lies elsewhere, and so do their hashes. */
    readonly scattered?: boolean;
  },
): DensityInput {
  const random = new RandomStream(seed, Purpose.data);
  const on = Math.max(1, Math.round(n * (least + (most - least) * random.uniform())));
  const place = Float32Array.from({ length: features }, () => random.normal());
  // In half of the runs they come first, where no sample may be content to look.
  const comeFirst = random.integer(2) === 0 && !scattered,
    others = random.distinct(n - on, comeFirst ? n - on : n);
  const far = new Set(others.map((j) => comeFirst ? on + j : j));
  const points = Float32Array.from({ length: n * features }, (_, at) => {
    const j = Math.floor(at / features), own = place[at % features];
    return far.has(j) ? own + BEYOND * random.normal() : own;
  });
  const repeated = Float32Array.from({ length: queries * features }, (_, at) => place[at % features]);
  return { points, queries: repeated, features, density: new Float64Array(queries).fill(on / n) };
}

/** Bandwidths between a query and points that it must not feel: in 4 dimensions and more hardly one of a million lies within nine. */
const BEYOND = 300;
