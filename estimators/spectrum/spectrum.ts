/** A number with what it lies between. */
export interface Enclosed {
  /** What it is not below. */
  readonly lower: number;
  /** What it probably is about; of exact products the lower end. */
  readonly estimate: number;
  /** What it is not above. */
  readonly upper: number;
}

/** What is known of the singular values of one softmax matrix P, [n_q, n_k]. */
export interface SoftmaxSpectrum {
  /** ‖P‖, the largest singular value: between √(n_q/n_k) and √n_q. */
  readonly norm: Enclosed;
  /** ‖P‖_F², the sum of the squares of all singular values: between n_q/n_k and n_q. */
  readonly squaredFrobenius: Enclosed;
  /** ‖P‖_F²/‖P‖², how many directions count. */
  readonly stableRank: Enclosed;
  /** The leading singular values, the largest first; of exact products each from below. */
  readonly singularValues: Float64Array;
  /** How far each may be from one that P has; NaN where rows were sampled, which tell no such bound. */
  readonly residuals: Float64Array;
  /** Rows of P that were looked at: n_q, or those that were sampled. */
  readonly rows: number;
  /** Logits that were computed. */
  readonly keyEvaluations: number;
}

/** The stable rank of what its parts lie between. */
export function stableRankOf(norm: Enclosed, squaredFrobenius: Enclosed, most: number): Enclosed {
  const within = (x: number) => Math.min(most, Math.max(1, x));
  return {
    lower: within(squaredFrobenius.lower / norm.upper ** 2),
    estimate: within(squaredFrobenius.estimate / norm.estimate ** 2),
    upper: within(squaredFrobenius.upper / norm.lower ** 2),
  };
}
