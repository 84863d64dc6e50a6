import { makeProblem } from "../../estimators/core/problem.ts";
import { approximateMethods, ourNames } from "../../estimators/methods/methods.ts";
import { holdsOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { leastSquaresSlope } from "../statistics/slope.ts";
import { checkKeys, linearSize } from "./settings.ts";

const MULTIPLES = [1, 2, 4], BUDGET = { bucketSize: 64, samples: 128 };
const PER_QUERY = BUDGET.bucketSize + BUDGET.samples;
/** The others prepare more than their budget covers, which grows as it likes. */
const CHECKED = ourNames.filter((name) => approximateMethods[name].withinBudget);

/** Sub-quadratic by count; `scaling` measures it by the clock. */
export const keyEvaluations: Claim = {
  name: "sub-quadratic-cost",
  statement:
    "At a fixed budget per query, inner products of queries and keys grow linearly with n, not quadratically",
  formula: "d ln(key evaluations)/d ln n <= 1.25",
  source: "Zandieh, Han, Daliri and Karbasi 2023, Algorithm 3",
  assumptions:
    `bucket ${BUDGET.bucketSize} and ${BUDGET.samples} samples, whatever n; counts as the methods state them: ${
      CHECKED.join(", ")
    }, whose budget covers all that they evaluate`,
  measurement:
    `least-squares slope of ln(key evaluations) on ln n over n, 2n and 4n, the largest of the methods'`,
  rule: { kind: "slope", low: 0.75, high: 1.25 },
  bound: 1.25,
  cases: holdsOn("gaussian", "clustered", "needle"),
  anySource: false,
  n: 1024,
  runs: 8,
  size: (n) => 4 * linearSize(n),
  async run({ implementation, input, seed, on, n }) {
    checkKeys(n, 4 * PER_QUERY, `a budget of ${PER_QUERY} is to be a small part of them`);
    const slopes: number[] = [];
    for (const name of CHECKED) {
      const method = implementation.methods[name];
      const counts: number[] = [];
      for (const size of MULTIPLES) {
        const { query, key, value, scale } = await input({
          n: n * size,
          features: 32,
          valueFeatures: 4,
        });
        const problem = makeProblem(query, key, value, { scale });
        const { keyEvaluations } = await on((backend) => method(backend, problem, { ...BUDGET, seed }, {}));
        counts.push(keyEvaluations);
      }
      slopes.push(leastSquaresSlope(MULTIPLES.map(Math.log), counts.map(Math.log)));
    }
    return { measured: Math.max(...slopes) };
  },
};
