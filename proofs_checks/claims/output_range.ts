import { holdsOn, searchedCase, shapeFamilies, squareFamilies } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { approximateMethods, approximateNames } from "../../estimators/methods/methods.ts";
import { makeProblem } from "../../estimators/core/problem.ts";
import { DELTA, VALUE_FEATURES } from "./settings.ts";

/** Nothing overflows, at any budget. */
export const finiteOutput: Claim = {
  name: "finite-output",
  statement:
    "Outputs and log-sum-exps are finite for every finite input, with logits up to 10,000, at small and large budgets",
  formula: "max |Att~_ic| < ∞",
  source: "log-sum-exp per row in the place of bare exponentials",
  assumptions: "single precision; every method with a budget, bucket and samples of 1 to 64 keys",
  measurement: "0 if every output is finite, else 1",
  rule: { kind: "always", allowed: DELTA },
  bound: 0,
  cases: [...holdsOn(...squareFamilies, "hard-instance", ...shapeFamilies), searchedCase],
  anySource: true,
  n: 96,
  runs: 50,
  async run({ implementation, input, seed, run, on }) {
    const { query, key, value, scale } = await input({ valueFeatures: VALUE_FEATURES });
    const problem = makeProblem(query, key, value, { scale });
    const methods = Object.values(implementation.methods);
    const method = methods[run % methods.length], size = Math.floor(run / methods.length);
    const budget = { bucketSize: 4 ** (size % 4), samples: 4 ** (Math.floor(size / 4) % 4), seed };
    return await on(async (backend) => {
      const { output, logSumExp } = await method(backend, problem, budget, {});
      return { measured: output.every(Number.isFinite) && logSumExp.every(Number.isFinite) ? 0 : 1 };
    });
  },
};

/** The same seed, the same bits. */
export const sameSeed: Claim = {
  name: "same-seed",
  statement: "The same seed gives the same output, bit for bit, and another seed another one",
  formula: "Att~(seed) = Att~(seed) ≠ Att~(seed + 1)",
  source: "counter-based random numbers: Salmon, Moraes, Dror and Shaw 2011",
  assumptions: "one device; every method that is random, and a budget at which it samples",
  measurement: "0 if two calls agree bit for bit and a third with another seed does not, else 1",
  rule: { kind: "always", allowed: DELTA },
  bound: 0,
  cases: holdsOn("gaussian", "clustered", "heavy-tailed", "needle"),
  anySource: true,
  n: 192,
  runs: 50,
  async run({ implementation, input, seed, on }) {
    const { query, key, value, scale } = await input({ valueFeatures: VALUE_FEATURES });
    const problem = makeProblem(query, key, value, { scale });
    const random = approximateNames.filter((name) => approximateMethods[name].random);
    for (const name of random) {
      const [first, second, other] = await on(async (backend) => {
        const outputs: Float32Array[] = [];
        for (const used of [seed, seed, seed + 1]) {
          const budget = { bucketSize: 16, samples: 24, seed: used };
          outputs.push((await implementation.methods[name](backend, problem, budget)).output.slice());
        }
        return outputs;
      });
      const same = first.every((x, at) => Object.is(x, second[at]));
      if (!same || first.every((x, at) => x === other[at])) return { measured: 1 };
    }
    return { measured: 0 };
  },
};
