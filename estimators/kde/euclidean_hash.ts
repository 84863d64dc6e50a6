/**
 * Locality-sensitive hash for Euclidean distance (Datar, Immorlica, Indyk and Mirrokni, "Locality-sensitive hashing
 * scheme based on p-stable distributions", SoCG 2004): a row goes to cell floor(<a, row>/width + u) of a Gaussian
 * direction a and a uniform u; several such cells together name a bucket.
 */
import type { RandomStream } from "../../kernels/random.ts";

/** Directions and offsets of several hash functions. */
export interface HashFunctions {
  /** [functions, features] */
  readonly directions: Float32Array;
  /** [functions], in units of the width */
  readonly offsets: Float64Array;
}

/** Draws hash functions; they have no width yet, so that one set serves several. */
export function drawHashFunctions(stream: RandomStream, functions: number, features: number): HashFunctions {
  const directions = Float32Array.from({ length: functions * features }, () => stream.normal());
  return { directions, offsets: Float64Array.from({ length: functions }, () => stream.uniform()) };
}

/**
 * Probability that two rows at a distance share a cell. With t = width/distance it is the mean of (1 − |z|/t)+ over
 * standard normal z:
 * erf(t/√2) − √(2/π) (1 − e^(−t²/2))/t.
 */
export function collisionProbability(distance: number, width: number): number {
  const t = width / distance;
  // From here on the probability of |z| > t is below half a unit of rounding; covers distance 0.
  if (t > 9) return 1 - Math.sqrt(2 / Math.PI) / t;
  if (t > 3) return 1 - upperTail(t) - Math.sqrt(2 / Math.PI) * -Math.expm1(-t * t / 2) / t;
  // Integrating the series of e^(−z²/2): the closed form cancels for small t.
  let term = Math.sqrt(2 / Math.PI) * t, sum = term / 2;
  for (let i = 1; Math.abs(term) > 1e-18 * sum; i++) {
    term *= -t * t / (2 * i);
    sum += term / ((2 * i + 1) * (2 * i + 2));
  }
  return sum;
}

/** P(|z| > t) for t > 3: Laplace's continued fraction, from the inside out. */
function upperTail(t: number): number {
  let fraction = t;
  for (let level = 40; level >= 1; level--) fraction = t + level / fraction;
  return Math.sqrt(2 / Math.PI) * Math.exp(-t * t / 2) / fraction;
}

/**
 * The bucket of a row: its cells mixed into 53 bits. That two different buckets get one name has probability 2^-53.
 *
 * @param projections Inner products of rows with directions.
 * @param start Where those of this row's functions begin.
 * @param offsets Their offsets begin at `firstOffset`.
 */
export function bucketOf(
  projections: ArrayLike<number>,
  start: number,
  offsets: Float64Array,
  firstOffset: number,
  functions: number,
  width: number,
): number {
  let high = 0x9e3779b9, low = 0x85ebca6b;
  for (let f = 0; f < functions; f++) {
    const cell = Math.floor(projections[start + f] / width + offsets[firstOffset + f]) | 0;
    high = mix(high ^ cell);
    low = mix(low + Math.imul(cell, 0x27d4eb2f) + f | 0);
  }
  return (high >>> 0) * 2 ** 21 + (low >>> 11);
}

/** Finaliser of MurmurHash3: every bit of the result depends on every bit of x. */
function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
