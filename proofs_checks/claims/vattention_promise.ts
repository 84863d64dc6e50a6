import { familySource, holdsOn, ownCase } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { sinkKey } from "../inputs/heavy_keys.ts";
import { Oracle } from "../measures/oracle.ts";
import { checkKeys, DELTA } from "./settings.ts";

const EPSILON = 0.1, STAGE = { sinks: 4, top: 8, base: 48 } as const;
/** Half of the keys are then left to be drawn or not. */
const LEAST_KEYS = 2 * (STAGE.sinks + STAGE.top + STAGE.base);

/** The denominator of a query, by as many draws as the first ones say that it takes. */
export const vattentionPromise: Claim = {
  name: "vattention-promise",
  statement:
    "Draws as many as the spread of the first ones asks for give the denominator of a query within a tenth, where those have seen how it spreads",
  formula: "m = (Φ⁻¹(1 − δ/2) σ^ n/(ε D^))²: P[|D~/D − 1| > ε] <= δ",
  source: "vAttention, arXiv 2510.05688",
  assumptions:
    `ε = ${EPSILON}, asked for a quarter of δ since the law of the draws is normal in the limit only, and few of them tell how they spread; ${STAGE.sinks} first keys and the ${STAGE.top} heaviest others for certain, ${STAGE.base} draws to tell the spread; a query`,
  measurement: "|D~/D − 1| against D in float64",
  rule: { kind: "probability", allowed: DELTA },
  bound: EPSILON,
  promisedBy: "vattention",
  cases: [
    ...holdsOn("bounded-norms", "uniform-softmax", "gaussian", "sink-key"),
    ownCase(
      familySource(sinkKey, { sinks: 2 * STAGE.top }, "sixteen-sink-keys"),
      "refuted",
      "eight of them are left to draws, of which the first ones see none, and take what they see for all there is",
    ),
  ],
  anySource: true,
  n: 512,
  runs: 3000,
  async run({ implementation, input, seed, on, n, delta }) {
    checkKeys(n, LEAST_KEYS, `the statement is about draws among at least ${LEAST_KEYS}`);
    const oracle = new Oracle(await input({ queries: 1, valueFeatures: 2 })), { problem } = oracle;
    const head = { at: 0, query: problem.query, key: problem.key, value: problem.value };
    const options = { ...STAGE, delta: delta / 4, epsilon: EPSILON };
    const { logSumExp } = await on((backend) =>
      implementation.attendVerified(backend, head, problem, options, seed)
    );
    return { measured: Math.abs(Math.expm1(logSumExp[0] - oracle.logRowSums[0])) };
  },
};
