import { holdsOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { Oracle } from "../measures/oracle.ts";
import { checkKeys, DELTA, VALUE_FEATURES } from "./settings.ts";

const ROWS = 48, EPSILON = 0.3;
/** What single precision may take from a row of the output, in parts of the vector that rows are moved by. */
const ROUNDING = 1e-4;

/** The estimate beside the bound, where it can be known beforehand. */
export const certificateEstimate: Claim = {
  name: "certificate-estimate",
  statement: "The estimate of a certificate is the error itself where all rows of an output err alike",
  formula: "estimate = √(n_q − rows) · ‖c‖ for Att~ = Att + 1cᵀ",
  source: "docs/theory.md §8; estimators/certified/evidence.ts",
  assumptions: `${ROWS} rows checked, which are exact afterwards; c as long as the largest value`,
  measurement: "|estimate / ‖output − P V‖ − 1|, in float64; infinite where it is called guaranteed",
  rule: { kind: "always", allowed: DELTA },
  bound: ROUNDING,
  cases: holdsOn("gaussian", "clustered", "sink-key", "shape-more-queries"),
  anySource: true,
  n: 192,
  runs: 40,
  async run({ implementation, input, seed, on, delta }) {
    const oracle = new Oracle(await input({ valueFeatures: VALUE_FEATURES })), { problem } = oracle;
    const { largestValue, valueFeatures, queries } = problem;
    const output = Float32Array.from(
      oracle.output,
      (x, at) => at % valueFeatures === 0 ? x + largestValue : x,
    );
    checkKeys(queries, 2, "of one row nothing is left that was not checked");
    const rows = Math.min(ROWS, Math.floor(queries / 2));
    const request = { epsilon: EPSILON, delta, rows, seed, round: 0, certify: "estimate" } as const;
    const { certificate } = await on(async (backend) => {
      const geometry = await implementation.headGeometry(backend, problem, seed);
      return await implementation.certify(backend, problem, output, geometry, request);
    });
    // Nothing was proven.
    if (certificate.guaranteed) return { measured: Infinity };
    return { measured: Math.abs(certificate.operatorNormEstimate / oracle.error(output) - 1) };
  },
};
