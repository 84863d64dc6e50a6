import { squaredNorms } from "../../estimators/kde/log_domain.ts";
import { holdsOn, refutedOn } from "../engine/cases.ts";
import type { Claim, Run, RunContext } from "../engine/claim.ts";
import { Oracle } from "../oracle.ts";
import { drawnWeights, idealProbabilities, weightedProduct } from "./sampled_product.ts";
import { DELTA, VALUE_FEATURES } from "./settings.ts";

const EPSILON = 0.5, SHARE = 1 / 4;

type Probabilities = (context: RunContext, oracle: Oracle) => Float64Array;

async function measure(context: RunContext, probabilitiesOf: Probabilities): Promise<Run> {
  const oracle = new Oracle(await context.input({ valueFeatures: VALUE_FEATURES }));
  const { keys } = oracle.problem, samples = Math.ceil(SHARE * keys);
  const weights = drawnWeights(
    context.implementation,
    probabilitiesOf(context, oracle),
    samples,
    context.seed,
  );
  return { measured: oracle.relativeError(weightedProduct(oracle.softmax, weights, oracle)) };
}

const common = {
  formula: "P[‖PΠᵀΠV − PV‖ > ½‖P‖‖V‖] <= δ at m = n/4",
  assumptions: `δ = ${DELTA}; P exact`,
  measurement: "‖PΠᵀΠV − PV‖ / (‖P‖‖V‖) in float64",
  rule: { kind: "probability", allowed: DELTA },
  bound: EPSILON,
  anySource: false,
  n: 192,
  runs: 80,
} as const;

/** What the paper prescribes. */
export const columnSampling: Claim = {
  ...common,
  name: "column-norm-sampling",
  statement:
    "A quarter as many draws as keys by column and value norms gives half of ‖P‖‖V‖ where the stable ranks are small",
  source: "Zandieh, Han, Daliri and Karbasi 2023, Algorithm 1",
  cases: [
    ...holdsOn(
      "gaussian",
      "uniform-softmax",
      "sink-key",
      "low-rank",
      "equal-queries",
      "rare-value",
      "huge-value",
    ),
    refutedOn(
      "permutation-softmax",
      "the stable rank of P is n: a quarter of the keys leaves most rows empty",
    ),
    refutedOn("needle", "the stable rank of P is of order n"),
  ],
  run: (context) =>
    measure(context, ({ implementation }, oracle) => idealProbabilities(implementation, oracle)),
};

/** What HyperAttention does. */
export const uniformSampling: Claim = {
  ...common,
  name: "uniform-sampling",
  statement: "The same draws made uniformly suffice too where no key and no value stands out, and only there",
  source: "Han et al. 2024, HyperAttention; docs/theory.md §3",
  cases: [
    ...holdsOn("gaussian", "uniform-softmax", "low-rank", "equal-queries"),
    refutedOn(
      "sink-key",
      "nine tenths of the weight of every query lie on one key, missed with probability (1 − 1/n)^(n/4)",
    ),
    refutedOn("rare-value", "the only value that is not 0 is missed with that probability"),
  ],
  run: (context) => measure(context, (_, { problem: { keys } }) => new Float64Array(keys).fill(1 / keys)),
};

/** What the published code of KDEformer does, but for its uniform part. */
export const valueNormSampling: Claim = {
  ...common,
  name: "value-norm-sampling",
  statement:
    "The same draws made by value norms alone suffice where they follow the weights, and not where a plain value weighs most",
  source: "the authors' code of Algorithm 3",
  cases: [
    ...holdsOn("gaussian", "uniform-softmax", "low-rank", "rare-value"),
    refutedOn("sink-key", "the value of the heavy key is like any other"),
  ],
  run: (context) =>
    measure(context, (_, { problem: { value, valueFeatures } }) => {
      const norms = squaredNorms(value, valueFeatures), total = norms.reduce((a, b) => a + b, 0);
      return norms.map((norm) => Math.max(norm / total, 1e-12));
    }),
};
