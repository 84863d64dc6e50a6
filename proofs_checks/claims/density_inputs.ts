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
