import { squaredNorms } from "../../estimators/kde/log_domain.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { holdsOn, refutedOn } from "../engine/cases.ts";
import type { Claim, Run, RunContext } from "../engine/claim.ts";
import { Oracle } from "../measures/oracle.ts";
import { drawnWeights, idealProbabilities } from "./sampled_product.ts";
import { checkKeys, DELTA, VALUE_FEATURES } from "./settings.ts";

const EPSILON = 0.5, SHARE = 1 / 4, LEAST_KEYS = 128;

type Probabilities = (context: RunContext, oracle: Oracle) => Float64Array;

/** Relative error of one row sum: what self-normalised attention divides by. */
async function measure(context: RunContext, probabilitiesOf: Probabilities): Promise<Run> {
  const { implementation, input, seed } = context,
    oracle = Oracle.of(await input({ valueFeatures: VALUE_FEATURES }));
  const { softmax, problem: { queries, keys } } = oracle, samples = Math.ceil(SHARE * keys);
  checkKeys(keys, LEAST_KEYS, `a quarter of them is a sample of some size from ${LEAST_KEYS} on`);
  const weights = drawnWeights(implementation, probabilitiesOf(context, oracle), samples, seed);
  const row = new RandomStream(seed, Purpose.data).integer(queries);
  let mass = 0;
  for (let l = 0; l < keys; l++) mass += weights[l] * softmax[row * keys + l];
  return { measured: Math.abs(mass - 1) };
}

const common = {
  formula: "P[|Σ_s w_s P_i,k_s − 1| > ½] <= δ at m = n/4",
  assumptions:
    `P exact, a random row i; the product bound alone is kinder, since ‖P‖ is large where a key is heavy for all`,
  measurement: "|D~_i/D_i − 1| in float64",
  rule: { kind: "probability", allowed: DELTA },
  bound: EPSILON,
  anySource: false,
  n: 256,
  runs: 120,
} as const;

/** What the paper prescribes. */
export const columnSampling: Claim = {
  ...common,
  name: "column-norm-sampling",
  standard: { n: 4096, families: ["gaussian", "low-rank", "equal-queries"], runsPerInput: 100 },
  statement:
    "A quarter as many draws as keys, by column and value norms, give row sums within a half where the stable rank is small",
  source: "Zandieh, Han, Daliri and Karbasi 2023, Algorithm 1",
  cases: [
    ...holdsOn("gaussian", "uniform-softmax", "sink-key", "low-rank", "equal-queries"),
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
  standard: { n: 4096, families: ["gaussian", "low-rank", "equal-queries", "rare-value"], runsPerInput: 100 },
  statement: "The same draws made uniformly suffice where no key stands out, and only there",
  source: "Han et al. 2024, HyperAttention",
  promisedBy: "hyperattention",
  cases: [
    ...holdsOn("gaussian", "uniform-softmax", "low-rank", "equal-queries", "rare-value"),
    refutedOn("sink-key", "nine tenths of every row lie on one key, missed with probability (1 − 1/n)^(n/4)"),
  ],
  run: (context) => measure(context, (_, { problem: { keys } }) => new Float64Array(keys).fill(1 / keys)),
};

/** What the published code of KDEformer does, but for its uniform part. */
export const valueNormSampling: Claim = {
  ...common,
  name: "value-norm-sampling",
  standard: { n: 4096, families: ["gaussian", "low-rank", "rare-value"], runsPerInput: 100 },
  statement:
    "The same draws made by value norms alone suffice where all values are alike and no key stands out",
  source: "the authors' code of Algorithm 3",
  cases: [
    ...holdsOn("gaussian", "uniform-softmax", "low-rank"),
    refutedOn("sink-key", "the value of the heavy key is like any other"),
    refutedOn(
      "rare-value",
      "every draw falls on the one value that is not 0, and the weight of all other keys is missed",
    ),
  ],
  run: (context) =>
    measure(context, (_, { problem: { value, valueFeatures } }) => {
      const norms = squaredNorms(value, valueFeatures), total = norms.reduce((a, b) => a + b, 0);
      return norms.map((norm) => Math.max(norm / total, 1e-12));
    }),
};
