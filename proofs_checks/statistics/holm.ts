import { check, checkOpenUnit } from "./check.ts";

/** What Holm's procedure says of each hypothesis, in the order given. */
export interface HolmResult {
  readonly rejected: readonly boolean[];
  /** Smallest family-wise level at which each is rejected. */
  readonly adjusted: readonly number[];
}

/**
 * Holm's step-down test of many hypotheses ("A simple sequentially rejective multiple test procedure", Scandinavian
 * Journal of Statistics 1979): the i-th smallest of m p-values is compared with level/(m − i + 1) until one is larger.
 * The probability of any false rejection is at most `level`, whatever the dependence, and it never rejects fewer than
 * Bonferroni's rule.
 *
 * @example
 * ```ts
 * import { holm } from "./holm.ts";
 * console.log(holm([0.01, 0.04, 0.03]).rejected); // [true, false, false]
 * ```
 *
 * @param pValues Each in [0, 1].
 * @param level Family-wise level, 0.05 by default.
 * @param hypotheses How many share the level: those without a p-value count as if theirs were 1. At least as many as p-values.
 * @throws {RangeError} If a p-value or the level is out of range.
 */
export function holm(pValues: readonly number[], level = 0.05, hypotheses = 0): HolmResult {
  const action = "adjust p-values";
  checkOpenUnit(action, "level", level);
  for (const p of pValues) check(action, p >= 0 && p <= 1, "p-values must be from 0 to 1", p);
  const adjusted = new Array<number>(pValues.length), total = Math.max(hypotheses, pValues.length);
  let largest = 0;
  pValues.map((_, at) => at).sort((a, b) => pValues[a] - pValues[b]).forEach((at, rank) => {
    largest = Math.max(largest, Math.min(1, (total - rank) * pValues[at]));
    adjusted[at] = largest;
  });
  return { rejected: adjusted.map((p) => p <= level), adjusted };
}
