import { holdsOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { Oracle } from "../measures/oracle.ts";
import { DELTA } from "./settings.ts";

const EPSILON = 0.9;

/** What a user asks for is what a user gets. */
export const certifiedAttention: Claim = {
  name: "certified-attention",
  statement:
    "attention() with epsilon and delta is within ε‖P‖‖V‖ with probability 1 − δ: approximated where that is certified, else exact",
  formula: "P[‖output − PV‖ > ε‖P‖‖V‖] <= δ",
  source: "estimators/certified/attend_within.ts",
  assumptions: `ε = ${EPSILON}; values of 4 features, for which a certificate costs little`,
  measurement: "‖output − PV‖ / (‖P‖‖V‖) in float64",
  rule: { kind: "probability", allowed: DELTA },
  bound: EPSILON,
  cases: holdsOn(
    // Others are attended exactly at this size.
    "gaussian",
    "sink-key",
    "uniform-softmax",
    "hard-instance",
  ),
  anySource: true,
  n: 400,
  runs: 60,
  standard: { n: 4096, families: ["sink-key", "hard-instance"], runsPerInput: 100 },
  async run({ implementation, device, input, seed, delta }) {
    const given = await input({ valueFeatures: 4, queries: 400 }), oracle = Oracle.of(given);
    const { output, stats, certificate } = await implementation.attention(
      given.query,
      given.key,
      given.value,
      {
        scale: given.scale,
        epsilon: EPSILON,
        delta,
        seed,
        checkSeed: seed,
        device,
        bucketSize: 16,
        samples: 16,
      },
    );
    const measured = oracle.relativeError(output.data);
    const product = oracle.softmaxNorm * oracle.valueNorm;
    return {
      measured,
      telling: stats.method !== "exact",
      plot: {
        exact: stats.method === "exact" ? 1 : 0,
        error: measured,
        certified: (certificate?.operatorNormBound ?? NaN) / product,
      },
    };
  },
};
