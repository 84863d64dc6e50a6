import { slack } from "../claims/slack.ts";
import type { Claim } from "./claim.ts";
import { replayOfCase, type ReplayOptions } from "./replay.ts";
import type { ClaimText, PlotPoint, VerificationResult } from "./report.ts";
import { ruleText } from "./rule_text.ts";
import type { CaseOutcome } from "./run_case.ts";
import { type Decision, tellingDecision } from "./verdicts.ts";

/** Natural logarithm of what stands for infinity. */
export const CERTAIN = 1000;

/** A case as the report states it. */
export function toResult(outcome: CaseOutcome, decision: Decision, asked: ReplayOptions): VerificationResult {
  const { claim, case: { source, expected, why }, broken, interval, logPValues, logEValues } = outcome;
  // JSON knows no infinity: what is certain is written as a thousand nats.
  const finite = (log: number) => Math.min(CERTAIN, Math.max(-CERTAIN, log));
  return {
    claim: claim.name,
    family: source.name,
    ...(broken ? { verdict: broken.verdict, confidence: 0 } : tellingDecision(decision, outcome.telling)),
    expected,
    why: why ?? null,
    measured: outcome.measured,
    bound: claim.bound,
    margin: outcome.margin,
    worst: outcome.worst,
    violations: outcome.violations,
    interval: interval && [interval.lower, interval.upper],
    runs: outcome.runs,
    n: outcome.n,
    log_p: { holds: finite(logPValues.holds), refuted: finite(logPValues.refuted) },
    log_e: { holds: finite(logEValues.holds), refuted: finite(logEValues.refuted) },
    detects: outcome.detects,
    telling: outcome.telling,
    first_violation: outcome.firstViolation,
    seconds: outcome.seconds,
    reason: broken?.reason ?? null,
    note: outcome.note,
    replay: replayOfCase(outcome, asked),
  };
}

/** The points that a case adds to the report's plots. */
export function toPoints({ claim, case: { source }, plots }: CaseOutcome): PlotPoint[] {
  return plots.map((plot) => ({ claim: claim.name, family: source.name, ...plot }));
}

/** A claim as the report explains it. */
export function claimText(claim: Claim): ClaimText {
  const { name, statement, formula, source, assumptions, measurement, rule, bound } = claim;
  const words = { name, statement, formula, source, assumptions, measurement, rule: ruleText(rule, bound) };
  const why = slack.get(name);
  return why === undefined ? words : { ...words, slack: why };
}
