import { familySource, holdsOn, ownCase } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { Oracle } from "../measures/oracle.ts";
import { DELTA, VALUE_FEATURES } from "./settings.ts";
import { sharedKey } from "./shared_key.ts";

const ROWS = 48, EPSILON = 0.3;
/** What the float64 arithmetic of both sides may differ by. */
const ROUNDING = 1e-5;

/** One row in a hundred looks to the key alone, half of the others somewhat. */
const RARELY = [[0.01, 0.95], [0.5, 0.15], [0.49, 0.001]] as const;

/** What an error is held against: too large an estimate of ‖P‖ would let any output pass. */
export const certificateTarget: Claim = {
  name: "certificate-target",
  statement:
    "A certificate holds an error against no more than ε‖P‖‖V‖, with probability 1 − δ: its bound on ‖P‖ is a lower one",
  formula: "P[target > ε‖P‖‖V‖] <= δ/5 <= δ",
  source: "docs/theory.md §8; estimators/certified/evidence.ts",
  assumptions:
    `ε = ${EPSILON}; ${ROWS} rows checked, other rows than those that the direction of ‖P‖ was found on`,
  measurement: "target / (ε‖P‖‖V‖), the norms in float64",
  rule: { kind: "probability", allowed: DELTA },
  bound: 1 + ROUNDING,
  cases: [
    ...holdsOn(
      "permutation-softmax",
      "uniform-softmax",
      "gaussian",
      "clustered",
      "sink-key",
      "hard-instance",
      "needle",
    ),
    // Rows that the direction was found on look to it more than others do.
    ownCase(familySource(sharedKey)),
    // Images are large in half of the rows: a sample of them is above their mean as often as below.
    ownCase(familySource(sharedKey, { levels: [[0.5, 0.9], [0.5, 0.02]], own: false }, "half-shared-key")),
    // Few images are so large that one of them more in a sample says more than all others.
    ownCase(familySource(sharedKey, { levels: RARELY, own: false }, "rarely-shared-key")),
  ],
  anySource: true,
  n: 192,
  runs: 60,
  standard: { n: 4096, families: ["gaussian", "permutation-softmax"], runsPerInput: 100 },
  async run({ implementation, input, seed, on, delta }) {
    const { problem, output, softmaxNorm, valueNorm } = Oracle.of(
      await input({ valueFeatures: VALUE_FEATURES }),
    );
    const request = {
      ...{ epsilon: EPSILON, delta, seed, round: 0, certify: "bound" as const },
      rows: Math.min(ROWS, problem.queries),
    } as const;
    const { certificate } = await on(async (backend) => {
      const geometry = await implementation.headGeometry(backend, problem, seed);
      return await implementation.certify(backend, problem, Float32Array.from(output), geometry, request);
    });
    return { measured: certificate.target / (EPSILON * softmaxNorm * valueNorm) };
  },
};
