import type { Attend } from "../../estimators/methods/method.ts";
import { familySource, holdsOn, ownCase, refutedOn } from "../engine/cases.ts";
import type { Claim, Run, RunContext } from "../engine/claim.ts";
import { checkKeys, DELTA, VALUE_FEATURES } from "./settings.ts";
import { sinkKey } from "../inputs/heavy_keys.ts";
import { Oracle } from "../measures/oracle.ts";
import { leastSquaresSlope } from "../statistics/slope.ts";

const BUDGETS = [24, 48, 96, 192];

/** Slope of the error over budgets, a third of each going to blocks. */
async function budgetSlope(method: Attend, { input, seed, on }: RunContext): Promise<Run> {
  const oracle = new Oracle(await input({ valueFeatures: VALUE_FEATURES })), errors: number[] = [];
  const most = BUDGETS[BUDGETS.length - 1];
  checkKeys(oracle.problem.keys, most + 1, `a budget of ${most} leaves nothing to sample`);
  for (const budget of BUDGETS) {
    const { output } = await on((backend) =>
      method(backend, oracle.problem, { bucketSize: budget / 3, samples: 2 * budget / 3, seed }, {})
    );
    errors.push(Math.max(oracle.relativeError(output), 1e-7));
  }
  const plot = Object.fromEntries(BUDGETS.map((budget, at) => [`error_${budget}`, errors[at]]));
  return { measured: leastSquaresSlope(BUDGETS.map(Math.log), errors.map(Math.log)), plot };
}

const common = {
  formula: "d ln ‖Att~ − Att‖ / d ln budget <= −0.3",
  source: "Zandieh, Han, Daliri and Karbasi 2023, Algorithm 3 and figure 2; docs/theory.md §4",
  assumptions: "something is left to sample at the largest budget",
  measurement: `least-squares slope of ln(‖Att~ − Att‖/(‖P‖‖V‖)) on ln budget, over ${
    BUDGETS.join(", ")
  } keys per query`,
  rule: { kind: "slope", low: -Infinity, high: -0.3 },
  bound: -0.3,
  cases: holdsOn("gaussian", "clustered", "heavy-tailed", "low-rank", "sink-key"),
  anySource: false,
  n: 384,
  runs: 24,
} as const;

/** The practical algorithm's error against its budget. */
export const practicalSlope: Claim = {
  ...common,
  name: "practical-slope",
  statement: "The error of the practical KDEformer falls with the budget of keys per query",
  run: (context) => budgetSlope(context.implementation.methods["kdeformer-practical"], context),
};

/** The same with heavy entries removed first. */
export const residualSlope: Claim = {
  ...common,
  name: "residual-slope",
  statement: "The error of KDEformer with a sampled residual falls with the budget of keys per query",
  run: (context) => budgetSlope(context.implementation.methods["kdeformer-residual"], context),
};

const EPSILON = 0.5, LEAST_KEYS = 64;
const beyond =
  "single keys, different for each query, hold most of the weight, and neither blocks nor samples find them";

/** What a fixed share of the keys is enough for. */
export const practicalError: Claim = {
  name: "practical-error",
  statement: "Half of the keys per query give the practical KDEformer an error of at most half of ‖P‖‖V‖",
  formula: "P[‖Att~ − Att‖ > ½ ‖P‖‖V‖] <= δ at bucket + samples = n/2",
  source: "a measurement, not a theorem: Algorithm 3 has no guarantee",
  assumptions: "a measurement, not a theorem",
  measurement: "‖Att~ − Att‖ / (‖P‖‖V‖)",
  rule: { kind: "probability", allowed: DELTA },
  ownDelta: true,
  bound: EPSILON,
  cases: [
    ...holdsOn("gaussian", "clustered", "heavy-tailed", "low-rank", "uniform-softmax", "equal-queries"),
    ...holdsOn(
      "sink-key",
      "duplicated-keys",
      "common-key-offset",
      "tiny-density",
      "rare-value",
      "huge-value",
    ),
    ...holdsOn("alternating-values", "cluster-imbalance", "shape-indivisible"),
    refutedOn("needle", beyond),
    refutedOn("huge-logits", beyond),
  ],
  anySource: true,
  n: 192,
  runs: 60,
  async run({ implementation, input, seed, on }) {
    const oracle = new Oracle(await input({ valueFeatures: VALUE_FEATURES })), { keys } = oracle.problem;
    checkKeys(keys, LEAST_KEYS, `an eighth of them is a block of some size from ${LEAST_KEYS} on`);
    const bucketSize = Math.ceil(keys / 8), samples = Math.ceil(3 * keys / 8);
    const { output } = await on((backend) =>
      implementation.methods["kdeformer-practical"](
        backend,
        oracle.problem,
        { bucketSize, samples, seed },
        {},
      )
    );
    return { measured: oracle.relativeError(output) };
  },
};

/** Keys that all queries look to, and the share of n that blocks and samples each take. */
const SINKS = 8, SINK_SHARE = 1 / 16;

/**
 * Columns that the probes see are sampled. Where p_j >= ‖P_j‖/(2 Σ‖P_j‖), m independent draws err by no more than √(2/m) Σ‖P_j‖‖v_j‖ in root mean
 * square, which is 0.13 ‖P‖‖V‖ here: eight columns hold nine tenths, of one direction, and the values are as good as orthogonal.
 */
export const practicalSinks: Claim = {
  ...practicalError,
  name: "practical-sinks",
  statement:
    "An eighth of the keys per query finds what all queries look to: the practical KDEformer follows columns",
  formula: "P[‖Att~ − Att‖ > 0.15 ‖P‖‖V‖] <= δ at bucket + samples = n/8",
  assumptions: `a measurement, not a theorem; ${SINKS} keys hold nine tenths of every query's weight`,
  bound: 0.15,
  cases: [ownCase(familySource(sinkKey, { sinks: SINKS }, "eight-sink-keys"))],
  anySource: false,
  n: 512,
  async run({ implementation, input, seed, on, n }) {
    checkKeys(n, LEAST_KEYS * 4, `a sixteenth of them is a sample of some size from ${LEAST_KEYS * 4} on`);
    const oracle = new Oracle(await input({ features: 16, valueFeatures: VALUE_FEATURES })),
      { keys } = oracle.problem;
    const budget = { bucketSize: Math.ceil(SINK_SHARE * keys), samples: Math.ceil(SINK_SHARE * keys), seed };
    const { output } = await on((backend) =>
      implementation.methods["kdeformer-practical"](backend, oracle.problem, budget, {})
    );
    return { measured: oracle.relativeError(output) };
  },
};
