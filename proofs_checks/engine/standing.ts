import type { VerificationResult } from "./report.ts";

/** How an outcome stands to what was expected. */
export type Standing =
  | "holds"
  | "better"
  | "expected"
  | "against"
  | "inconclusive"
  | "error"
  | "not-applicable"
  | "vacuous";

/**
 * A refutation that is expected is one by an error too large. NaN and infinity are above every bound, but no theory expects them:
 * they stand against expectation even there.
 */
export function standingOf(
  { verdict, expected, worst }: Pick<VerificationResult, "verdict" | "expected" | "worst">,
): Standing {
  if (verdict === "holds") return expected === "holds" ? "holds" : "better";
  if (verdict === "refuted") return expected === "refuted" && Number.isFinite(worst) ? "expected" : "against";
  return verdict;
}
