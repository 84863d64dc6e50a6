import { makeProblem } from "../estimators/core/problem.ts";
import { approximateMethods, type ApproximateName, ourNames } from "../estimators/methods/methods.ts";

/** The names of all approximate methods. */
export const approximateNames = Object.keys(approximateMethods) as ApproximateName[];

/** Those of others. */
export const rivalNames = approximateNames.filter((name) => !ourNames.includes(name));

/** Those that take every problem, if the budget is large enough: queries that are not keys, in causal order. */
export const generalNames: readonly ApproximateName[] = approximateNames.filter((name) => {
  const row = { data: Float32Array.of(1, 0, 0, 1, 1, 1), shape: [3, 2] },
    keys = { data: new Float32Array(400).fill(1), shape: [200, 2] };
  const problem = makeProblem(row, keys, keys, { causal: true });
  return approximateMethods[name].refusal?.(problem, { bucketSize: 75, samples: 75, seed: 0 }) === undefined;
});
