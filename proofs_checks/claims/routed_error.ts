import { tensor } from "../../kernels/tensor.ts";
import { changedSource, holdsOn, ownCase, refutedOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { checkKeys, DELTA, VALUE_FEATURES } from "./settings.ts";
import { Oracle } from "../measures/oracle.ts";

const BUDGET = { bucketSize: 32, samples: 64 };

/** The same logits from queries an eighth as long: they look to the same clusters. */
const shortQueries = changedSource("clustered-short-queries", "clustered", (input) => {
  const { query: { data, shape }, scale } = input;
  return { ...input, query: tensor(data.map((x) => x / 8), shape), scale: 8 * scale };
});

/** What routing is for, and what it is not for. */
export const routedError: Claim = {
  name: "routed-error",
  statement: "Routed attention errs less than the practical KDEformer at the same budget",
  formula: "P[‖Att~_routed − Att‖ > ‖Att~_practical − Att‖] <= δ",
  source: "a measurement, not a theorem; docs/theory.md §6",
  assumptions: `queries look to clusters of keys; ${BUDGET.bucketSize} + ${BUDGET.samples} keys per query`,
  measurement: "‖Att~_routed − Att‖ / ‖Att~_practical − Att‖",
  rule: { kind: "probability", allowed: DELTA },
  ownDelta: true,
  bound: 1,
  cases: [
    ...holdsOn("clustered"),
    ownCase(shortQueries),
    refutedOn("sink-key", "one key holds nine tenths of the mass of every query, and is in one leaf"),
  ],
  anySource: false,
  n: 1024,
  runs: 60,
  async run({ implementation, input, seed, on }) {
    const oracle = new Oracle(await input({ valueFeatures: VALUE_FEATURES }));
    const errors: number[] = [], perQuery = BUDGET.bucketSize + BUDGET.samples;
    checkKeys(oracle.problem.keys, 4 * perQuery, `a budget of ${perQuery} is to leave most of them out`);
    for (const method of [implementation.methods.routed, implementation.methods["kdeformer-practical"]]) {
      const { output } = await on((backend) => method(backend, oracle.problem, { ...BUDGET, seed }, {}));
      errors.push(oracle.relativeError(output));
    }
    return { measured: errors[0] / Math.max(errors[1], Number.MIN_VALUE) };
  },
};
