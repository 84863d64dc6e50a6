import { holm } from "../statistics/holm.ts";
import type { Verdict } from "../statistics/sequential_decision.ts";

/** Family-wise level over all verdicts: half for claims refuted falsely, half for claims confirmed falsely. */
export const LEVEL = 0.05;

/** p-value from which on a case may stop: it passes Holm's procedure whatever the others give. */
export function stoppingLevel(familySize: number): number {
  return LEVEL / 2 / familySize;
}

/** A verdict and the confidence in it. */
export interface Decision {
  readonly verdict: Verdict | "vacuous";
  readonly confidence: number;
}

/** A decision, if there was anything to decide: what was never at stake cannot be said to hold. */
export function tellingDecision(decision: Decision, telling: number | null | undefined): Decision {
  return telling === 0 && decision.verdict !== "refuted" ? { verdict: "vacuous", confidence: 0 } : decision;
}

/**
 * Verdicts from p-values by Holm's procedure, separately for refutations and confirmations with half of the level each, so that
 * with probability 1 − LEVEL not one of the verdicts is false. Cases of the family that were not run count as undecided,
 * so a verdict does not depend on how many of them were.
 */
export function decide(
  logP: readonly { readonly holds: number; readonly refuted: number }[],
  familySize: number,
): Decision[] {
  const adjust = (side: "holds" | "refuted") =>
    holm(logP.map((p) => Math.exp(Math.min(0, p[side]))), LEVEL / 2, familySize).adjusted;
  const holds = adjust("holds"), refuted = adjust("refuted");
  return logP.map((_, at): Decision => {
    const verdict = refuted[at] <= LEVEL / 2 ? "refuted" : holds[at] <= LEVEL / 2 ? "holds" : "inconclusive";
    const p = verdict === "refuted" ? refuted[at] : Math.min(holds[at], refuted[at]);
    return { verdict, confidence: 1 - p };
  });
}
