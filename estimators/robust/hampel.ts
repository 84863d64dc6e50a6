import { distanceAt, type FeatureDistances, quantile } from "./feature_distances.ts";

/** Distances that differ by less than this share count as one, so that rounding does not choose among keys that are alike. */
const ALIKE = 2 ** -10;

/** The three corners, a <= b <= c. */
export interface Corners {
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/**
 * Weights of one step of reweighting by Hampel's loss, from equal weights: φ(t) = 1 up to a, a/t up to b, from there down to 0 at c.
 *
 * @returns [keys], in [0, 1]
 */
export function hampelWeights({ distances }: FeatureDistances, { a, b, c }: Corners): Float64Array {
  return distances.map((t) => t <= a ? 1 : t <= b ? a / t : t < c ? a * (c - t) / ((c - b) * t) : 0);
}

/**
 * Corners at the median and at the 75th and 95th percentile of the distances. A twentieth of the keys then always weighs nothing and a
 * quarter less than it should, outliers or not.
 *
 * Source: Kim and Scott, "Robust kernel density estimation" (JMLR 2012), with the percentiles of the code of Humbert, Le Bars and Minvielle (ICML 2022);
 * of distances from the uniform density, since there is one step only.
 */
export function percentileCorners({ distances }: FeatureDistances): Corners {
  const [a, b, c] = [0.5, 0.75, 0.95].map((share) => quantile(distances, share));
  return { a, b, c };
}

/**
 * Corners for at most a share ρ of outliers. Were all of them in one place, and far from the other keys, they would give each other a row
 * mean of ρ, and nobody else would: c is the distance at which a row mean is ρ, and a = b that of 2ρ. Whoever has a larger row mean has it from
 * others than outliers, and weighs 1: where no key is far out, all do. And at most a share ρ of the keys lies beyond b, whatever their distances:
 * where more are far out than there may be outliers, to be far out is no sign of one.
 */
export function fractionCorners({ distances, meanNorm }: FeatureDistances, fraction: number): Corners {
  const sorted = distances.toSorted();
  const last = sorted[sorted.length - 1 - Math.floor(fraction * sorted.length)];
  const b = Math.max(last, distanceAt(2 * fraction, meanNorm));
  return { a: b, b, c: Math.max(b * (1 + ALIKE), distanceAt(fraction, meanNorm)) };
}
