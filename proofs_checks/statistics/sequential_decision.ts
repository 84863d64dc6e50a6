import { checkCounts, checkOpenUnit } from "./check.ts";
import { logGamma, logIncompleteBeta } from "./incomplete_beta.ts";

/** What the trials say of a claim `probability <= bound`. */
export type Verdict = "holds" | "refuted" | "inconclusive";

/** A verdict and the evidence behind it. */
export interface ProbabilityDecision {
  readonly verdict: Verdict;
  /** ln of the e-value against `probability > bound`; the claim holds from ln(1/level) on. */
  readonly logEvidenceFor: number;
  /** ln of the e-value against `probability <= bound`; the claim is refuted from ln(1/level) on. */
  readonly logEvidenceAgainst: number;
}

/**
 * Decides whether the probability of an event, say of an error above its bound, is at most `bound`, from independent
 * trials that may be looked at after each one and stopped whenever one likes.
 *
 * The evidence against p <= b is the likelihood ratio of the trials between p drawn from ½·(point mass at 1) + ½·(uniform
 * on [b, 1]) and p = b; that against p > b the same with events and non-events exchanged. For every p on the refuted side
 * each factor p₁^x (1 − p₁)^{1−x} / (b^x (1 − b)^{1−x}) has expectation at most 1, because that is 1 at p = b and linear in p
 * with the sign of p₁ − b. So the evidence is a nonnegative supermartingale that starts at 1, and by Ville's inequality
 * (1939) the probability that it ever reaches 1/level is at most `level`: a wrong "refuted" and a wrong "holds" each
 * have at most that probability, whatever the stopping rule. (Robbins 1970 for mixtures; Ramdas, Grünwald, Vovk and
 * Shafer 2023 for the theory.) The point mass is there because most claims never fail: "holds" then takes
 * ln(2/level) / −ln(1 − b) trials without an event, 72 at b = level = 0.05.
 *
 * If p is close to b neither is ever reached: the verdict then stays inconclusive, which is the honest answer.
 *
 * @example
 * ```ts
 * import { decideProbability } from "./sequential_decision.ts";
 * console.log(decideProbability(0, 100, { bound: 0.05 }).verdict); // holds
 * console.log(decideProbability(30, 100, { bound: 0.05 }).verdict); // refuted
 * console.log(decideProbability(5, 100, { bound: 0.05 }).verdict); // inconclusive
 * ```
 *
 * @param events Trials so far in which the event happened.
 * @param trials Trials so far.
 * @param options Bound on the probability, and the level of either error, 0.05 by default.
 * @throws {RangeError} If a count, the bound or the level is out of range.
 */
export function decideProbability(
  events: number,
  trials: number,
  { bound, level = 0.05 }: { readonly bound: number; readonly level?: number },
): ProbabilityDecision {
  const action = "decide on a probability";
  checkCounts(action, events, trials);
  checkOpenUnit(action, "bound", bound);
  checkOpenUnit(action, "level", level);
  const logEvidenceFor = logEvidenceAbove(trials - events, events, 1 - bound);
  const logEvidenceAgainst = logEvidenceAbove(events, trials - events, bound);
  const enough = Math.log(1 / level);
  const verdict = logEvidenceAgainst >= enough
    ? "refuted"
    : logEvidenceFor >= enough
    ? "holds"
    : "inconclusive";
  return { verdict, logEvidenceFor, logEvidenceAgainst };
}

/** ln of the mixture's likelihood ratio for k events and m non-events, against a probability of at most b. */
function logEvidenceAbove(k: number, m: number, b: number): number {
  const logNull = k * Math.log(b) + m * Math.log1p(-b);
  // ∫_b^1 p^k (1 − p)^m dp / (1 − b) = B(k + 1, m + 1) · I_{1−b}(m + 1, k + 1) / (1 − b).
  const logBeta = logGamma(k + 1) + logGamma(m + 1) - logGamma(k + m + 2);
  const logUniform = logBeta + logIncompleteBeta(1 - b, m + 1, k + 1) - Math.log1p(-b);
  const logPoint = m === 0 ? 0 : -Infinity;
  const larger = Math.max(logUniform, logPoint);
  return larger + Math.log((Math.exp(logUniform - larger) + Math.exp(logPoint - larger)) / 2) - logNull;
}
