import type { Budget } from "./approximate.ts";
import { canCalibrate } from "./calibrated.ts";
import type { MethodName } from "./options.ts";
import type { Problem } from "./problem.ts";

/**
 * Fitting takes time that key evaluations do not show. Relative to the rest it grows with the budget over the number
 * of keys: b evaluations of the calibrated coreset take about as long as b (1 + b / (FIT · keys)) / LEVEL of the practical
 * KDEformer, where LEVEL leaves the 1.3-fold time that the coreset is worth (`bench/RESULTS.md`).
 */
const FIT = 0.19, LEVEL = 0.82;

/** What "auto" does with a budget, and how much of it that takes. */
export function bestMethod(
  problem: Problem,
  budget: Budget,
): { readonly name: Exclude<MethodName, "auto" | "exact">; readonly budget: Budget } {
  const part = calibratedPart(problem.keys, budget);
  if (canCalibrate(problem, part)) return { name: "calibrated", budget: part };
  return { name: canCalibrate(problem, budget) ? "calibrated" : "kdeformer-practical", budget };
}

/** The part of a budget with which the calibrated coreset takes little longer than the practical KDEformer with all of it. */
function calibratedPart(keys: number, budget: Budget): Budget {
  const whole = budget.bucketSize + budget.samples, fit = FIT * keys;
  const part = fit / 2 * (Math.sqrt(1 + 4 * LEVEL * whole / fit) - 1), share = part / whole;
  return {
    ...budget,
    bucketSize: Math.ceil(budget.bucketSize * share),
    samples: Math.ceil(budget.samples * share),
  };
}
