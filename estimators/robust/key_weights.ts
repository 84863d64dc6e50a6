import type { Backend } from "../../kernels/backend.ts";
import type { Problem } from "../core/problem.ts";
import { type DensityOf, densityRows, seenRows } from "./density_rows.ts";
import { featureDistances } from "./feature_distances.ts";
import { fractionCorners, hampelWeights, percentileCorners } from "./hampel.ts";
import { huberWeights } from "./huber.ts";
import { kernelRowMeans } from "./kernel_row_means.ts";
import type { CheckedRobustOptions } from "./options.ts";
import { projectedWeights } from "./scaled_projection.ts";

/** Weights of keys by a robust density. */
export interface KeyWeights {
  /** [heads, keys], in [0, 1], the largest of a head 1; 0 for hidden keys. */
  readonly weights: Float64Array;
  readonly kernelEvaluations: number;
}

/**
 * What each key weighs by one step of reweighting from equal weights (KIRWLS), or by a projection, of the density of keys with their
 * values or of keys alone.
 */
export async function keyWeights(
  backend: Backend,
  problem: Problem,
  of: DensityOf,
  { weights: by, bandwidth, outlierFraction, thresholds, samples, seed, signal }: CheckedRobustOptions,
): Promise<KeyWeights> {
  const rows = densityRows(problem, of, bandwidth, seed), { heads, keys } = rows;
  if (by === "spkde") return await projectedWeights(backend, rows, outlierFraction, signal);
  const { means, kernelEvaluations } = await kernelRowMeans(backend, rows, { samples, seed, signal });
  const weights = new Float64Array(heads * keys);
  for (let head = 0; head < heads; head++) {
    const own = seenRows(head, keys, rows.logWeights);
    const distances = featureDistances(Float64Array.from(own, (row) => means[row]));
    const found = by === "huber" ? huberWeights(distances) : hampelWeights(
      distances,
      thresholds === "percentiles"
        ? percentileCorners(distances)
        : fractionCorners(distances, outlierFraction),
    );
    found.forEach((weight, at) => weights[own[at]] = weight);
  }
  return { weights, kernelEvaluations };
}
