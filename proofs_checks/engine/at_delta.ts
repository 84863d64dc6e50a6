import type { Claim } from "./claim.ts";

/** A claim about another δ than its own; measurements, means and slopes have none, and stay what they are. */
export function atDelta(claim: Claim, delta: number | undefined): Claim {
  if (delta === undefined || claim.ownDelta || !("allowed" in claim.rule)) return claim;
  return { ...claim, rule: { ...claim.rule, allowed: delta } };
}
