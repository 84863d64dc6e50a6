import { holdsOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { Oracle } from "../measures/oracle.ts";
import { DELTA } from "./settings.ts";

const EPSILON = 0.99;

/** What "exact" may err by. */
export const certificateRounding: Claim = {
  name: "certificate-rounding",
  statement:
    "Exact attention errs by no more than the bound on its rounding that its certificate states; where that is too much, none is issued",
  formula: "‖output − P V‖ <= √(Σ_i rounding_i²) <= ε‖P‖‖V‖",
  source: "Higham 2002, §3 and §4; estimators/certified/rounding_bound.ts",
  assumptions: `single precision; ε = ${EPSILON}; a refusal is no certificate`,
  measurement: "‖output − P V‖ in float64 over the bound; 0 where none is issued",
  rule: { kind: "always", allowed: DELTA },
  bound: 1,
  cases: holdsOn(
    "gaussian",
    "clustered",
    "sink-key",
    "needle",
    "huge-logits",
    "common-key-offset",
    "huge-value",
    "shape-more-keys",
  ),
  anySource: true,
  n: 96,
  runs: 50,
  async run({ implementation, device, input, delta }) {
    const given = await input({ valueFeatures: 4 }),
      { query, key, value, scale } = given,
      oracle = new Oracle(given);
    const options = { scale, epsilon: EPSILON, delta, method: "exact", device } as const;
    try {
      const { output, certificate } = await implementation.attention(query, key, value, options);
      const error = oracle.error(output.data), { operatorNormBound: bound, target } = certificate!;
      return { measured: bound <= target ? error === 0 ? 0 : error / bound : Infinity };
    } catch (error) {
      // That an output is not finite is no refusal of an ε.
      if (error instanceof RangeError && /^Cannot certify: (no )?epsilon /.test(error.message)) {
        return { measured: 0, telling: false };
      }
      throw error;
    }
  },
};
