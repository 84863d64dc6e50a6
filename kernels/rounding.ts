/**
 * How the arithmetic of a device rounds in `attend`: what an a priori bound of its error takes (`estimators/certified/
 * rounding_bound.ts`). Each device states its own beside its kernels, since only these know in what order they sum.
 */
export interface AttendRounding {
  /** Largest relative error of one addition or multiplication: the unit roundoff. */
  readonly unit: number;
  /** Largest relative error of the exponential near 0. */
  readonly exponential: number;
  /** What is added to that for every unit of the argument, down to −87. */
  readonly exponentialPerUnit: number;
  /** Roundings that a product of two features meets on its way into a logit, those of the scale included. */
  readonly product: number;
  /**
   * Roundings that a weighted value meets on its way into the output, and its weight on its way into the total by which
   * the output is divided, together; those of the division included. A fused multiply-add may count as two.
   */
  readonly sum: number;
  /** How often the sums may be moved to a new largest logit, each time by an exponential. */
  readonly rescalings: number;
  /** Absolute error of one operation whose result is too small for full precision, or is flushed to 0. */
  readonly underflow: number;
  /** Relative error of handing a result out in 32 bits. */
  readonly output: number;
  /** Relative error of the numbers of keys and values as the device holds them. */
  readonly stored: number;
  /** What is added to that for small ones, in units of the largest magnitude of their head. */
  readonly storedLeast: number;
}

/** What the rounding of one attention depends on. */
export interface RoundingShape {
  /** Length of a query and of a key. */
  readonly features: number;
  /** Keys per head. */
  readonly keys: number;
  /** Whether keys and values may be held in half floats, as `exactAttention` has it. */
  readonly halved?: boolean;
}

/** Roundings of a weighted value in one merge: its share, the quotient of that, a product and a sum. */
export const MERGE_ROUNDINGS = 8;
