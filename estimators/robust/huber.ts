import { type FeatureDistances, quantile } from "./feature_distances.ts";

/**
 * Weights of one step of reweighting by Huber's loss, from equal weights: φ(t) = 1 up to the median distance a, a/t beyond. They
 * lie between a/√2 and 1, so that no key is ever left out: an outlier that a query looks to is heard.
 *
 * Source: Kim and Scott, "Robust kernel density estimation" (JMLR 2012), with the median for a.
 *
 * @returns [keys], in (0, 1]
 */
export function huberWeights({ distances }: FeatureDistances): Float64Array {
  const a = quantile(distances, 1 / 2);
  return distances.map((t) => t <= a ? 1 : a / t);
}
