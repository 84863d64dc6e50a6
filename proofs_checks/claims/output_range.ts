import { holdsOn, searchedCase, shapeFamilies, squareFamilies } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { makeProblem } from "../../estimators/core/problem.ts";
import { approximateMethods, ourNames } from "../../estimators/methods/methods.ts";
import { DELTA, linearSize, VALUE_FEATURES } from "./settings.ts";
import { NotApplicable } from "../engine/outcome.ts";

/** Nothing overflows, at any budget. */
export const finiteOutput: Claim = {
  name: "finite-output",
  statement:
    "Outputs and log-sum-exps are finite for every finite input, with logits up to 10,000, at small and large budgets",
  formula: "max |Att~_ic| < ∞",
  source: "log-sum-exp per row in the place of bare exponentials",
  assumptions: `single precision; ${ourNames.join(", ")}; bucket and samples of 1 to 64 keys`,
  measurement: "0 if every output is finite, else 1",
  rule: { kind: "always", allowed: DELTA },
  bound: 0,
  cases: [...holdsOn(...squareFamilies, "hard-instance", ...shapeFamilies), searchedCase],
  anySource: true,
  n: 96,
  runs: 50,
  size: linearSize,
  async run({ implementation, input, seed, run, on }) {
    const { query, key, value, scale } = await input({ valueFeatures: VALUE_FEATURES });
    const problem = makeProblem(query, key, value, { scale });
    const count = ourNames.length, method = implementation.methods[ourNames[run % count]];
    // So that a few dozen runs try each method at small and at large budgets, 5 being no divisor of 16.
    const size = 5 * Math.floor(run / count) + run;
    const budget = { bucketSize: 4 ** (size % 4), samples: 4 ** (Math.floor(size / 4) % 4), seed };
    return await on(async (backend) => {
      const { output, logSumExp } = await method(backend, problem, budget, {});
      return { measured: output.every(Number.isFinite) && logSumExp.every(Number.isFinite) ? 0 : 1 };
    });
  },
};

/** Methods that draw something. */
const RANDOM = ourNames.filter((name) => approximateMethods[name].random);

/** With fewer rows two seeds may draw the same ones. */
const LEAST_ROWS = 64;

/** An output this near the exact one, in units of the largest value, is right whatever was drawn. */
const EXACT = 1e-4;

/** The same seed, the same bits. */
export const sameSeed: Claim = {
  name: "same-seed",
  statement:
    "The same seed gives the same output, bit for bit, and another seed another one wherever the draws matter",
  formula: "Att~(seed) = Att~(seed) ≠ Att~(seed + 1)",
  source: "counter-based random numbers: Salmon, Moraes, Dror and Shaw 2011",
  assumptions: `one device; at least ${LEAST_ROWS} queries and keys; ${RANDOM.join(", ")}`,
  measurement:
    "0 if two calls agree bit for bit, and a third with another seed does not unless the output is exact, else 1; bucket n/12 and n/8 samples",
  rule: { kind: "always", allowed: DELTA },
  bound: 0,
  cases: holdsOn("gaussian", "clustered", "heavy-tailed", "needle"),
  anySource: true,
  n: 192,
  runs: 50,
  size: linearSize,
  async run({ implementation, input, seed, on }) {
    const { query, key, value, scale } = await input({ valueFeatures: VALUE_FEATURES });
    const problem = makeProblem(query, key, value, { scale }), { queries, keys } = problem;
    if (Math.min(queries, keys) < LEAST_ROWS) {
      throw new NotApplicable(`of ${queries} queries and ${keys} keys two seeds may draw the same`);
    }
    const budget = { bucketSize: Math.floor(keys / 12), samples: Math.floor(keys / 8) };
    const exact = await on(async (backend) =>
      (await implementation.exactAttention(backend, problem)).output.slice()
    );
    const errs = (output: Float32Array) =>
      output.some((x, at) => Math.abs(x - exact[at]) > EXACT * problem.largestValue);
    // Each in every run: a fault of one of many would else be a small part of the runs.
    for (const name of RANDOM) {
      const [first, second, other] = await on(async (backend) => {
        const outputs: Float32Array[] = [];
        for (const used of [seed, seed, seed + 1]) {
          const given = { ...budget, seed: used };
          outputs.push((await implementation.methods[name](backend, problem, given)).output.slice());
        }
        return outputs;
      });
      if (!first.every((x, at) => Object.is(x, second[at]))) return { measured: 1 };
      if (errs(first) && first.every((x, at) => Object.is(x, other[at]))) return { measured: 1 };
    }
    return { measured: 0 };
  },
};
