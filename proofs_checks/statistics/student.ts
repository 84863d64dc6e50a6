import { check, checkOpenUnit } from "./check.ts";
import { incompleteBeta, solveIncreasing } from "./incomplete_beta.ts";

/**
 * Quantile of Student's t distribution: P[T > t] = ½ I_{ν/(ν + t²)}(ν/2, ½) for t >= 0 (DLMF 8.17, Abramowitz and Stegun
 * 26.7.1), solved in y = ν/(ν + t²).
 *
 * @example
 * ```ts
 * import { studentQuantile } from "./student.ts";
 * console.log(studentQuantile(0.975, 10).toFixed(3)); // 2.228
 * ```
 *
 * @throws {RangeError} If the probability or the degrees of freedom are out of range.
 */
export function studentQuantile(probability: number, degrees: number): number {
  checkOpenUnit("take a quantile of Student's t", "probability", probability);
  check("take a quantile of Student's t", degrees > 0, "degrees of freedom must be positive", degrees);
  if (probability < 0.5) return -studentQuantile(1 - probability, degrees);
  const tail = 2 * (1 - probability);
  const y = solveIncreasing((x) => incompleteBeta(x, degrees / 2, 0.5), tail, 0, 1);
  return Math.sqrt(degrees * (1 - y) / y);
}
