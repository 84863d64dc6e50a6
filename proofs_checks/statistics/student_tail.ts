import { check } from "./check.ts";
import { incompleteBeta } from "./incomplete_beta.ts";

/**
 * Upper tail of Student's t distribution, P[T > t] = ½ I_{ν/(ν + t²)}(ν/2, ½) for t >= 0 (Abramowitz and Stegun 26.7.1).
 *
 * @example
 * ```ts
 * import { studentTail } from "./student_tail.ts";
 * console.log(studentTail(2.228, 10).toFixed(3)); // 0.025
 * ```
 *
 * @throws {RangeError} If the degrees of freedom are not positive.
 */
export function studentTail(t: number, degrees: number): number {
  check("take a tail of Student's t", degrees > 0, "degrees of freedom must be positive", degrees);
  if (t < 0) return 1 - studentTail(-t, degrees);
  if (t === Infinity) return 0;
  return incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5) / 2;
}
