/** Squared distances below this are the rounding of row means in f32. */
const ROUNDING = 2 ** -20;

/** How far the keys of a head lie from their mean, as functions. */
export interface FeatureDistances {
  /** [keys] */
  readonly distances: Float64Array;
  /** The squared norm of the mean: the mean of the row means. */
  readonly meanNorm: number;
}

/**
 * Distances t_j = ‖Φ(x_j) − (1/n) Σ_i Φ(x_i)‖ in the space of functions of a kernel with k(x, x) = 1, in which a kernel density is
 * the mean of the Φ(x_i) = k(x_i, ·): t_j² = 1 − 2 (K1)_j/n + 1ᵀK1/n². The farther out a key is, the smaller its own density and the larger t_j, up to √2.
 *
 * @param means [keys]: (K1)_j/n
 */
export function featureDistances(means: Float64Array): FeatureDistances {
  const meanNorm = means.reduce((sum, mean) => sum + mean, 0) / means.length;
  const distances = means.map((mean) => distanceAt(mean, meanNorm));
  return { distances, meanNorm };
}

/** The distance of a key with this row mean. */
export function distanceAt(mean: number, meanNorm: number): number {
  const squared = 1 - 2 * mean + meanNorm;
  return squared < ROUNDING ? 0 : Math.sqrt(squared);
}

/** The value that a share of the values, in [0, 1], does not exceed, between two of them in proportion. */
export function quantile(values: Float64Array, share: number): number {
  const sorted = values.toSorted(), place = share * (sorted.length - 1), below = Math.floor(place);
  const above = sorted[Math.min(below + 1, sorted.length - 1)];
  return sorted[below] + (place - below) * (above - sorted[below]);
}
