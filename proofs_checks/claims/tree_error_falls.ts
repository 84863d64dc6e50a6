import { holdsOn, refutedOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { Oracle } from "../measures/oracle.ts";
import { checkKeys, DELTA } from "./settings.ts";

/** Key evaluations for each query, and how many times as many. */
const BUDGET = 112, FACTOR = 4;
/** Features, and directions in which a tree compares keys: with this budget, all of them. */
const DIRECTIONS = 24;
const LARGEST = FACTOR ** (-2 / DIRECTIONS);

const nothingLeft =
  "one entry stands for all keys exactly, and rounding, which is what is left, falls with no budget";

/** What a larger budget is for. */
export const treeErrorFalls: Claim = {
  name: "tree-error-falls",
  statement:
    "Four times the budget, all preparation counted, lowers the error of a tilted tree at least as a fourth of the keys in each entry lowers their variance in 24 directions",
  formula: "P[‖Att~_4b − Att‖ > 4^(−2/24) ‖Att~_b − Att‖] <= δ",
  source:
    "docs/theory.md §5.1: entries of m keys in D directions have variances as m^(2/D), and errors are of that order",
  assumptions: `b = ${BUDGET} key evaluations per query`,
  measurement: "‖Att~_4b − Att‖ / ‖Att~_b − Att‖",
  rule: { kind: "probability", allowed: DELTA },
  ownDelta: true,
  bound: LARGEST,
  cases: [...holdsOn("gaussian", "heavy-tailed"), refutedOn("uniform-softmax", nothingLeft)],
  anySource: true,
  n: 512,
  runs: 60,
  async run({ implementation, input, seed, on }) {
    const oracle = new Oracle(await input({ features: DIRECTIONS, valueFeatures: DIRECTIONS })),
      errors: number[] = [];
    checkKeys(
      oracle.problem.keys,
      FACTOR * BUDGET + 1,
      `a budget of ${FACTOR * BUDGET} is to leave some out`,
    );
    for (const perQuery of [FACTOR * BUDGET, BUDGET]) {
      const budget = { bucketSize: perQuery / 4, samples: 3 * perQuery / 4, seed };
      const { output } = await on((backend) =>
        implementation.methods["tilted-tree"](backend, oracle.problem, budget, {})
      );
      errors.push(oracle.error(output));
    }
    return { measured: errors[0] / Math.max(errors[1], Number.MIN_VALUE) };
  },
};
