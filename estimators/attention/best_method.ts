import type { Budget } from "./approximate.ts";
import { canCalibrate } from "./calibrated.ts";
import type { MethodName } from "./options.ts";
import type { Problem } from "./problem.ts";

/**
 * Fitting takes time that key evaluations do not show: with this part of the budget the calibrated coreset takes at
 * most 1.3 times as long as the practical KDEformer with all of it, at a fraction of its error (`bench/RESULTS.md`).
 */
const CALIBRATED_SHARE = 0.65;

/** What "auto" does with a budget, and how much of it that takes. */
export function bestMethod(
  problem: Problem,
  budget: Budget,
): { readonly name: Exclude<MethodName, "auto" | "exact">; readonly budget: Budget } {
  const part = {
    ...budget,
    bucketSize: Math.ceil(budget.bucketSize * CALIBRATED_SHARE),
    samples: Math.ceil(budget.samples * CALIBRATED_SHARE),
  };
  if (canCalibrate(problem, part)) return { name: "calibrated", budget: part };
  return { name: canCalibrate(problem, budget) ? "calibrated" : "kdeformer-practical", budget };
}
