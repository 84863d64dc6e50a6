import { holdsOn, refutedOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { Oracle } from "../measures/oracle.ts";
import { checkKeys, DELTA, VALUE_FEATURES } from "./settings.ts";

/** Half of fewer keys pays for too few exact rows to fit a coreset to. */
const LEAST_KEYS = 128;
const ownKeys =
  "each query looks to keys of its own, and a point that stands for many keys serves none of them";

/** What the default method is for, and what it is not for. */
export const calibratedError: Claim = {
  name: "calibrated-error",
  statement:
    "With half of the keys per query a calibrated coreset errs at most half as much as the practical KDEformer at that budget, where softmax rows look to many keys",
  formula: "P[‖Att~_calibrated − Att‖ > ½ ‖Att~_practical − Att‖] <= δ at bucket + samples = n/2",
  source: "a measurement, not a theorem; docs/theory.md §5",
  assumptions: `logits of a few units`,
  measurement: "‖Att~_calibrated − Att‖ / ‖Att~_practical − Att‖",
  rule: { kind: "probability", allowed: DELTA },
  ownDelta: true,
  bound: 1 / 2,
  cases: [
    ...holdsOn(
      "gaussian",
      "low-rank",
      "common-key-offset",
      "tiny-density",
      "huge-value",
      "cluster-imbalance",
    ),
    refutedOn("permutation-softmax", ownKeys),
    refutedOn("needle", ownKeys),
    refutedOn("hidden-directions", "noise of the keys alone leads the clusters, and blocks do no better"),
  ],
  anySource: false,
  n: 256,
  runs: 60,
  async run({ implementation, input, seed, on }) {
    const oracle = new Oracle(await input({ valueFeatures: VALUE_FEATURES })), { keys } = oracle.problem;
    checkKeys(keys, LEAST_KEYS, `half of them pays for enough exact rows from ${LEAST_KEYS} on`);
    const budget = { bucketSize: Math.floor(keys / 8), samples: Math.floor(3 * keys / 8), seed };
    const errors: number[] = [];
    for (const method of [implementation.methods.calibrated, implementation.methods["kdeformer-practical"]]) {
      const { output } = await on((backend) => method(backend, oracle.problem, budget, {}));
      errors.push(oracle.relativeError(output));
    }
    return { measured: errors[0] / Math.max(errors[1], Number.MIN_VALUE) };
  },
};
