import { check, checkCounts, checkOpenUnit } from "./check.ts";
import { incompleteBeta, solveIncreasing } from "./incomplete_beta.ts";

/**
 * Probability that a binomial variable is at least `events`: P[Bin(n, p) >= k] = I_p(k, n − k + 1) (DLMF 8.17.5).
 *
 * @example
 * ```ts
 * import { binomialUpperTail } from "./binomial.ts";
 * console.log(binomialUpperTail(1, 2, 0.5)); // 0.75
 * ```
 *
 * @throws {RangeError} If a count or the probability is out of range.
 */
export function binomialUpperTail(events: number, trials: number, probability: number): number {
  const action = "take a binomial tail";
  checkCounts(action, events, trials);
  check(action, probability >= 0 && probability <= 1, "probability must be from 0 to 1", probability);
  return events === 0 ? 1 : incompleteBeta(probability, events, trials - events + 1);
}

/** Ends of an interval. */
export interface Interval {
  readonly lower: number;
  readonly upper: number;
}

/**
 * Smallest probability that does not make so many events a surprise: undercut with probability at most `level`
 * (Clopper and Pearson 1934). The p with P[Bin(n, p) >= k] = level; 0 if there were no events.
 *
 * @example
 * ```ts
 * import { lowerProbabilityBound } from "./binomial.ts";
 * console.log(lowerProbabilityBound(3, 3, 0.05).toFixed(4)); // 0.3684
 * ```
 *
 * @throws {RangeError} If a count or the level is out of range.
 */
export function lowerProbabilityBound(events: number, trials: number, level: number): number {
  checkCounts("bound a probability", events, trials);
  checkOpenUnit("bound a probability", "level", level);
  return events === 0 ? 0 : solveIncreasing((p) => binomialUpperTail(events, trials, p), level, 0, 1);
}

/**
 * Largest probability that does not make so few events a surprise: exceeded with probability at most `level`. Without
 * events in n trials it is 1 − level^{1/n}, the rule of three.
 *
 * @example
 * ```ts
 * import { upperProbabilityBound } from "./binomial.ts";
 * console.log(upperProbabilityBound(0, 59, 0.05).toFixed(4)); // 0.0495
 * ```
 *
 * @throws {RangeError} If a count or the level is out of range.
 */
export function upperProbabilityBound(events: number, trials: number, level: number): number {
  return 1 - lowerProbabilityBound(trials - events, trials, level);
}

/**
 * Clopper and Pearson's interval for a probability ("The use of confidence or fiducial limits illustrated in the case of
 * the binomial", Biometrika 1934): it covers with at least the stated confidence for every probability and every count,
 * each side being missed with probability at most half of the rest. The number of trials must be fixed in advance; see
 * `decideProbability` for trials that stop when the answer is clear.
 *
 * @example
 * ```ts
 * import { clopperPearson } from "./binomial.ts";
 * const { lower, upper } = clopperPearson(0, 20);
 * console.log(lower, upper.toFixed(4)); // 0 0.1684
 * ```
 *
 * @param confidence 0.95 by default.
 * @throws {RangeError} If a count or the confidence is out of range.
 */
export function clopperPearson(events: number, trials: number, confidence = 0.95): Interval {
  checkOpenUnit("bound a probability", "confidence", confidence);
  const level = (1 - confidence) / 2;
  return {
    lower: lowerProbabilityBound(events, trials, level),
    upper: upperProbabilityBound(events, trials, level),
  };
}
