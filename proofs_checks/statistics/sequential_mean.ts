import { check } from "./check.ts";

/** Evidence on whether a mean is 0, from values of variance at most 1. */
export interface MeanEvidence {
  /** ln of the e-value against a mean of `tolerance` or more away from 0. */
  readonly logEvidenceFor: number;
  /** ln of the e-value against a mean of exactly 0. */
  readonly logEvidenceAgainst: number;
}

/**
 * Decides whether independent values of variance at most 1 have mean 0, whatever their distribution, with the values
 * looked at after each one.
 *
 * With φ(y) = ln(1 + y + y²/2) for y >= 0 and −ln(1 − y + y²/2) for y < 0, φ(y) <= ln(1 + y + y²/2) always, so
 * E exp φ(λ(x − m)) <= 1 + λ²/2 <= exp(λ²/2) if x has mean m and variance at most 1: the product of exp(φ(λ(x − m)) − λ²/2)
 * is a nonnegative supermartingale (Catoni 2012; Wang and Ramdas, "Catoni-style confidence sequences for heavy-tailed mean
 * estimation", 2023), and Ville's inequality bounds the probability that it ever reaches 1/level by `level`. It needs no
 * normality: φ grows like a logarithm, so that a single wild value proves nothing.
 *
 * For a mean of at most −tolerance the same product with m = −tolerance is one as long as λ times the distance of the mean
 * from m is at most 2; larger deviations are what the evidence against 0 finds first.
 */
export class SequentialMean {
  readonly #tolerance: number;
  readonly #lambda: number;
  #above = 0;
  #below = 0;
  #aboveLower = 0;
  #belowUpper = 0;
  #broken = false;

  /** @param tolerance A bias that matters, in standard deviations. */
  constructor(tolerance: number) {
    check("decide on a mean", tolerance > 0 && tolerance < Infinity, "tolerance must be positive", tolerance);
    this.#tolerance = tolerance;
    // Growth per value is λ·tolerance − λ²/2: most at λ = tolerance.
    this.#lambda = Math.min(1, tolerance);
  }

  /** Takes the next value. */
  add(value: number): void {
    // No value at all is no draw from any distribution with that mean.
    this.#broken ||= Number.isNaN(value);
    const lambda = this.#lambda, cost = lambda ** 2 / 2;
    const growth = (x: number) => influence(lambda * x) - cost;
    this.#above += growth(value);
    this.#below += growth(-value);
    this.#aboveLower += growth(value + this.#tolerance);
    this.#belowUpper += growth(this.#tolerance - value);
  }

  /** The evidence so far. */
  evidence(): MeanEvidence {
    if (this.#broken) return { logEvidenceFor: -Infinity, logEvidenceAgainst: Infinity };
    const larger = Math.max(this.#above, this.#below);
    if (larger === Infinity) return { logEvidenceFor: -Infinity, logEvidenceAgainst: Infinity };
    const sum = Math.exp(this.#above - larger) + Math.exp(this.#below - larger);
    return {
      // Either side must be excluded: the weaker evidence counts.
      logEvidenceFor: Math.min(this.#aboveLower, this.#belowUpper),
      logEvidenceAgainst: larger + Math.log(sum / 2),
    };
  }
}

/** Catoni's influence function. */
function influence(y: number): number {
  return y >= 0 ? Math.log1p(y + y * y / 2) : -Math.log1p(-y + y * y / 2);
}
