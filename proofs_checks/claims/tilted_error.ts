import { holdsOn, refutedOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { Oracle } from "../measures/oracle.ts";
import { checkKeys, DELTA, VALUE_FEATURES } from "./settings.ts";

const BUDGET = { bucketSize: 50, samples: 110 };
const ownKeys = "each query looks to a key of its own, and queries of one cluster do not share a list";

/** What a tree of keys is for, and what it is not for. */
export const tiltedError: Claim = {
  name: "tilted-error",
  statement:
    "A tilted tree errs at most half as much as the practical KDEformer at the same budget, all preparation counted, where queries share what they look at",
  formula: "P[‖Att~_tilted − Att‖ > ½ ‖Att~_practical − Att‖] <= δ",
  source: "a measurement, not a theorem; docs/theory.md §5.1",
  assumptions: `${BUDGET.bucketSize} + ${BUDGET.samples} key evaluations per query`,
  measurement: "‖Att~_tilted − Att‖ / ‖Att~_practical − Att‖",
  rule: { kind: "probability", allowed: DELTA },
  ownDelta: true,
  bound: 1 / 2,
  cases: [
    ...holdsOn("gaussian", "low-rank", "tiny-density", "cluster-imbalance"),
    refutedOn("permutation-softmax", ownKeys),
    refutedOn("needle", ownKeys),
  ],
  anySource: false,
  n: 640,
  runs: 40,
  async run({ implementation, input, seed, on }) {
    const oracle = new Oracle(await input({ valueFeatures: VALUE_FEATURES }));
    const errors: number[] = [], perQuery = BUDGET.bucketSize + BUDGET.samples;
    checkKeys(oracle.problem.keys, 4 * perQuery, `a budget of ${perQuery} is to leave most of them out`);
    for (const name of ["tilted-tree", "kdeformer-practical"] as const) {
      const attend = implementation.methods[name];
      const { output } = await on((backend) => attend(backend, oracle.problem, { ...BUDGET, seed }, {}));
      errors.push(oracle.relativeError(output));
    }
    return { measured: errors[0] / Math.max(errors[1], Number.MIN_VALUE) };
  },
};
