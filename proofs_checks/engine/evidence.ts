import { clopperPearson, type Interval } from "../statistics/binomial.ts";
import { sampleQuantile } from "../statistics/quantile.ts";
import { decideProbability } from "../statistics/sequential_decision.ts";
import { SequentialMean } from "../statistics/sequential_mean.ts";
import { studentTail } from "../statistics/student_tail.ts";
import type { Claim } from "./claim.ts";

/** Natural logarithms of the p-values of the two ways to err: a true claim refuted, a false one confirmed. */
export interface LogPValues {
  /** Of "the claim is false": small when it holds. */
  readonly holds: number;
  /** Of "the claim is true": small when it is refuted. */
  readonly refuted: number;
}

/** The runs of a case in one number each. */
export interface Summary {
  /** What stands against the bound: see {@link summarise}. */
  readonly measured: number;
  /** How far inside the bound, as a share of it; negative outside. */
  readonly margin: number;
  /** Largest single run. */
  readonly worst: number;
  /** Runs above the bound, for rules that count them. */
  readonly violations: number | null;
  /** Clopper and Pearson's 95 % interval for the probability of such a run, or the interval of a mean or a slope. */
  readonly interval: Interval | null;
}

/** Natural logarithms of e-values: expectations of at most 1 where the claim is true, and where it is false. Those of independent runs multiply. */
export interface LogEValues {
  /** Against "the claim is false". */
  readonly holds: number;
  /** Against "the claim is true". */
  readonly refuted: number;
}

/** p-values of the runs so far; valid at any time for all rules but slopes, which are tested once, at the end. */
export function logPValues(claim: Claim, measured: readonly number[], atEnd: boolean): LogPValues {
  if (claim.rule.kind === "slope") return slopePValues(measured, claim.rule, atEnd);
  // Markov's inequality; for processes Ville's.
  return pValuesOf(logEValues(claim, measured, atEnd));
}

/** The p-values that e-values are worth. */
export function pValuesOf({ holds, refuted }: LogEValues): LogPValues {
  const pValue = (logEvidence: number) => logEvidence > 0 ? -logEvidence : 0;
  return { holds: pValue(holds), refuted: pValue(refuted) };
}

/** e-values of the runs so far, as {@link logPValues}. */
export function logEValues(
  { rule, bound }: Claim,
  measured: readonly number[],
  atEnd: boolean,
): LogEValues {
  if (rule.kind === "mean") {
    const sequence = new SequentialMean(rule.tolerance);
    for (const value of measured) sequence.add(value);
    const { logEvidenceFor, logEvidenceAgainst } = sequence.evidence();
    return { holds: logEvidenceFor, refuted: logEvidenceAgainst };
  }
  if (rule.kind === "slope") {
    const { holds, refuted } = slopePValues(measured, rule, atEnd);
    // E ½ p^(−½) = 1 for a uniform p (Shafer, Shen, Vereshchagin and Vovk 2011).
    return { holds: -Math.LN2 - holds / 2, refuted: -Math.LN2 - refuted / 2 };
  }
  const violations = countAbove(measured, bound);
  const evidence = decideProbability(violations, measured.length, { bound: rule.allowed });
  const holds = evidence.logEvidenceFor;
  if (rule.kind === "probability") return { holds, refuted: evidence.logEvidenceAgainst };
  // What may never happen has happened: no true claim does that.
  return violations > 0 ? { holds: -Infinity, refuted: Infinity } : { holds, refuted: 0 };
}

/** Student's t tests of independent slopes against either end. */
function slopePValues(
  slopes: readonly number[],
  { low, high }: { readonly low: number; readonly high: number },
  atEnd: boolean,
): LogPValues {
  if (!atEnd || slopes.length < 3) return { holds: 0, refuted: 0 };
  const { mean, error } = meanAndError(slopes), degrees = slopes.length - 1;
  if (!Number.isFinite(mean)) return { holds: 0, refuted: -Infinity };
  // Slopes that are all alike lie at an end as much inside as outside.
  const tail = (distance: number) =>
    studentTail(distance === 0 ? 0 : error > 0 ? distance / error : distance * Infinity, degrees);
  const above = low === -Infinity ? 0 : tail(mean - low), below = high === Infinity ? 0 : tail(high - mean);
  const outside = 2 * Math.min(1 / 2, 1 - above, 1 - below);
  return { holds: Math.log(Math.max(above, below)), refuted: Math.log(outside) };
}

/** NaN counts as above: it is not within any bound. */
function countAbove(measured: readonly number[], bound: number): number {
  return measured.filter((value) => !(value <= bound)).length;
}

/**
 * What a case measured: the largest run for what may never be exceeded, the quantile that the bound is about for a
 * probability, the mean for means and slopes.
 */
export function summarise({ rule, bound }: Claim, measured: readonly number[]): Summary {
  const finite = measured.map((value) => Number.isNaN(value) ? Infinity : value);
  const worst = finite.reduce((a, b) => Math.max(a, b), -Infinity);
  const within = (value: number) => bound === 0 ? -value : (bound - value) / Math.abs(bound);
  if (rule.kind === "mean" || rule.kind === "slope") {
    const { mean, error } = meanAndError(finite);
    const margin = rule.kind === "mean"
      ? (rule.tolerance - Math.abs(mean)) / rule.tolerance
      : slopeMargin(mean, rule.low, rule.high);
    const interval = { lower: mean - 1.96 * error, upper: mean + 1.96 * error };
    return { measured: mean, margin, worst, violations: null, interval };
  }
  const violations = countAbove(measured, bound), interval = clopperPearson(violations, measured.length);
  const value = rule.kind === "always" ? worst : sampleQuantile(finite, 1 - rule.allowed);
  return { measured: value, margin: within(value), worst, violations, interval };
}

/** Distance to the nearer end that is finite. */
function slopeMargin(mean: number, low: number, high: number): number {
  return Math.min(low === -Infinity ? Infinity : mean - low, high === Infinity ? Infinity : high - mean);
}

function meanAndError(values: readonly number[]): { mean: number; error: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    mean,
    error: values.length < 2 ? Infinity : Math.sqrt(squares / (values.length - 1) / values.length),
  };
}
