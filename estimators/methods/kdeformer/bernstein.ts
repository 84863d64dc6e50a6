/** What decides how many keys Algorithm 1 samples. */
export interface BernsteinTerms {
  /** Error asked for, relative to ‖X‖·‖Y‖. */
  readonly epsilon: number;
  /** Probability with which it may be exceeded. */
  readonly delta: number;
  /** Rows of X plus columns of Y. */
  readonly dimensions: number;
  /** The larger of the stable ranks of X and Y, or an upper bound on it. */
  readonly stableRank: number;
  /** Probabilities are at least the ideal ones over this; at least 1. */
  readonly looseness: number;
}

/**
 * Samples m for which ‖X Πᵀ Π Y − X Y‖ <= epsilon ‖X‖‖Y‖ with probability 1 − delta, by the matrix Bernstein inequality
 * (Tropp 2012): P[error > epsilon ‖X‖‖Y‖] <= dimensions · exp(−m epsilon²/(4 s + 2 (s + 1) epsilon/3)), s = looseness · stable rank.
 */
export function bernsteinSamples(terms: BernsteinTerms): number {
  const { epsilon, delta, dimensions, stableRank, looseness } = terms;
  const s = looseness * stableRank;
  return Math.ceil(
    (4 * s + 2 * (s + 1) * epsilon / 3) * Math.log(dimensions / delta) / epsilon ** 2,
  );
}

/**
 * The error that the sampled product may have when D~ is within 1 ± epsilon/3 of D, so that the output's stays within epsilon:
 * ‖D~⁻¹ A ΠᵀΠ V − P V‖ <= (e + epsilon/3)/(1 − epsilon/3) ‖P‖‖V‖, which is epsilon for e = epsilon (2 − epsilon)/3.
 */
export function productError(epsilon: number): number {
  return epsilon * (2 - epsilon) / 3;
}
