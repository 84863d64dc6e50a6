import { type Budget, perQuery, scaleBudget } from "./method.ts";
import { canCalibrate, fitsSlope, linearises } from "./calibrated/calibrated.ts";
import type { ApproximateName } from "./methods.ts";
import type { Problem } from "../core/problem.ts";

/**
 * Fitting takes time that key evaluations do not show, and so does the linear function of the query, which takes as many
 * multiplications as d·d_v/(d + d_v) keys: with these parts of the budget, less a part of those, the calibrated coreset takes
 * at most about 1.3 times as long as the practical KDEformer with all of it, at a fraction of its error (`bench/RESULTS.md`).
 */
const PLAIN_SHARE = 0.88, LINEAR_SHARE = 0.66, LINEAR_COST = 0.34;

/** What "auto" does with a budget, and how much of it that takes. */
export function bestMethod(
  problem: Problem,
  budget: Budget,
): { readonly name: ApproximateName; readonly budget: Budget } {
  const { features, valueFeatures } = problem, keys = perQuery(budget);
  const linear = features * valueFeatures / (features + valueFeatures);
  const corrected = partOf(budget, LINEAR_SHARE - LINEAR_COST * linear / keys);
  const part = fitsSlope(problem, corrected) ? corrected : partOf(budget, PLAIN_SHARE);
  if (canCalibrate(problem, part)) return { name: "calibrated", budget: part };
  const fits = canCalibrate(problem, budget) || linearises(problem, budget);
  return { name: fits ? "calibrated" : "kdeformer-practical", budget };
}

function partOf(budget: Budget, share: number): Budget {
  return scaleBudget(budget, Math.max(0, share));
}
