import type { Rule } from "./claim.ts";

/** The verdict rule of a claim in a sentence. */
export function ruleText(rule: Rule, bound: number): string {
  switch (rule.kind) {
    case "always":
      return `refuted by one run above ${bound}; holds once an exceedance probability above ${rule.allowed} is excluded`;
    case "probability":
      return `the probability of a run above ${bound} is at most ${rule.allowed}, decided by an e-process`;
    case "mean":
      return `the mean is 0: refuted by an e-process against 0, holds once a bias of ${rule.tolerance} standard deviations ` +
        "is excluded on either side";
    case "slope":
      return `the mean slope lies between ${rule.low} and ${rule.high}, by Student's t test of independent slopes`;
  }
}
