import { makeProblem } from "../../estimators/core/problem.ts";
import { approximateMethods, approximateNames } from "../../estimators/methods/methods.ts";
import { holdsOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { leastSquaresSlope } from "./product_error.ts";

const SIZES = [1024, 2048, 4096];

/** Sub-quadratic by count; `scaling` measures it by the clock. */
export const keyEvaluations: Claim = {
  name: "sub-quadratic-cost",
  statement:
    "At a fixed budget per query, inner products of queries and keys grow linearly with n, not quadratically",
  formula: "d ln(key evaluations)/d ln n <= 1.25",
  source: "Zandieh, Han, Daliri and Karbasi 2023, Algorithm 3",
  assumptions:
    "bucket 64 and 128 samples, whatever n; methods whose budget covers all that they evaluate; counts as they state them",
  measurement: `least-squares slope of ln(key evaluations) on ln n over n = ${
    SIZES.join(", ")
  }, the largest of the methods'`,
  rule: { kind: "slope", low: 0.75, high: 1.25 },
  bound: 1.25,
  cases: holdsOn("gaussian", "clustered", "needle"),
  anySource: false,
  n: SIZES[0],
  runs: 8,
  async run({ implementation, input, seed, on, n }) {
    const slopes: number[] = [];
    for (const name of approximateNames.filter((name) => approximateMethods[name].withinBudget)) {
      const counts: number[] = [];
      for (const size of SIZES) {
        const { query, key, value, scale } = await input({
          n: n / SIZES[0] * size,
          features: 32,
          valueFeatures: 4,
        });
        const problem = makeProblem(query, key, value, { scale });
        const { keyEvaluations } = await on((backend) =>
          implementation.methods[name](backend, problem, { bucketSize: 64, samples: 128, seed }, {})
        );
        counts.push(keyEvaluations);
      }
      slopes.push(leastSquaresSlope(SIZES.map(Math.log), counts.map(Math.log)));
    }
    return { measured: Math.max(...slopes) };
  },
};
