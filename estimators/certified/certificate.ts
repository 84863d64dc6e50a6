/** What is known about the error of an output, of every head by itself. */
export interface Certificate {
  /**
   * Whether the error is at most `target`: with probability 1 − delta for a bound, certainly when exact. For an
   * estimate this is no guarantee: an error on rows that were not checked goes unseen.
   */
  readonly holds: boolean;
  /** Whether `holds` is guaranteed, in that sense: false for an estimate. */
  readonly guaranteed: boolean;
  /** The error asked for, relative to ‖P‖·‖V‖. */
  readonly epsilon: number;
  /** The probability allowed of a larger error; 0 for a bound of each row that is certain without any row checked. */
  readonly delta: number;
  /**
   * Upper bound on ‖output − attention‖_op of the head where it is closest to its target, attention being that of real
   * numbers: exact attention has the rounding errors of its device. Infinity where the output is not finite.
   */
  readonly operatorNormBound: number;
  /** Estimate of the same norm from the rows checked; not a bound. 0 where no rows were checked. */
  readonly operatorNormEstimate: number;
  /** The error allowed in that head: epsilon · (lower bound on ‖P‖) · (lower bound on ‖V‖). */
  readonly target: number;
  /** Rows of each query head that were computed exactly for the check. */
  readonly rowsChecked: number;
  /** What the certificate rests on: a bound, an estimate, which guarantees nothing, or exact computation. */
  readonly kind: "bound" | "estimate" | "exact";
  /** The seed that decided which rows were checked; null where none were. */
  readonly checkSeed: number | null;
}
