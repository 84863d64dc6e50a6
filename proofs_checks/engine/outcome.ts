import type { Verdict } from "../statistics/sequential_decision.ts";

/**
 * What a case comes to: a verdict by the evidence, or none. `error`: a run threw, so the claim could not be checked; whether it
 * holds is unknown, whatever was expected. `not-applicable`: the claim says nothing at this size. `vacuous`: in no run could anything
 * have gone wrong, since all were exact, say, or nothing was certified.
 */
export const outcomes = [
  "holds",
  "refuted",
  "inconclusive",
  "error",
  "not-applicable",
  "vacuous",
] as const satisfies readonly (
  | Verdict
  | "error"
  | "not-applicable"
  | "vacuous"
)[];
/** One of {@link outcomes}. */
export type Outcome = typeof outcomes[number];

/** Thrown by a claim before its first measurement, where its statement says nothing of such an input; the message says why. */
export class NotApplicable extends Error {
  override readonly name = "NotApplicable";
}
