import { holdsOn, searchedCase } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { Oracle } from "../measures/oracle.ts";
import { leastSquaresSlope } from "../statistics/slope.ts";
import { drawnWeights, idealProbabilities, squaredFrobenius, weightedProduct } from "./sampled_product.ts";
import { checkKeys, DELTA, VALUE_FEATURES } from "./settings.ts";

const EPSILON = 0.5;
const common = { source: "Tropp 2012; docs/theory.md §3", anySource: true, n: 128 } as const;

/** The number of samples that matrix Bernstein asks for suffices. */
export const productBound: Claim = {
  ...common,
  name: "product-bound",
  statement:
    "Sampling as many keys as the matrix Bernstein inequality asks for gives P V within ε‖P‖‖V‖ with probability 1 − δ",
  formula: "m = (4s + 2(s+1)ε/3) ln((n+d)/δ)/ε² ⟹ P[‖PΠᵀΠV − PV‖ > ε‖P‖‖V‖] <= δ",
  assumptions:
    `ε = ${EPSILON}, p = half the share of the squared column norm + half that of ‖v‖², which is within 2 of ideal`,
  measurement: "‖PΠᵀΠV − PV‖ / (‖P‖‖V‖), everything in float64, P exact",
  rule: { kind: "probability", allowed: DELTA },
  bound: EPSILON,
  cases: [
    ...holdsOn(
      "gaussian",
      "clustered",
      "heavy-tailed",
      "uniform-softmax",
      "permutation-softmax",
      "sink-key",
      "rare-value",
      "huge-value",
      "shape-more-keys",
      "shape-more-queries",
    ),
    searchedCase,
  ],
  runs: 60,
  standard: { n: 4096, families: ["gaussian", "uniform-softmax"], runsPerInput: 100 },
  async run({ implementation, input, seed, delta }) {
    const oracle = Oracle.of(await input({ valueFeatures: VALUE_FEATURES }));
    const { problem: { queries, value, valueFeatures }, softmax, softmaxNorm, valueNorm } = oracle;
    const stableRank = Math.max(
      squaredFrobenius(softmax) / softmaxNorm ** 2,
      squaredFrobenius(value) / valueNorm ** 2,
    );
    const samples = implementation.bernsteinSamples({
      epsilon: EPSILON,
      delta,
      dimensions: queries + valueFeatures,
      stableRank,
      looseness: 2,
    });
    const weights = drawnWeights(implementation, idealProbabilities(implementation, oracle), samples, seed);
    return { measured: oracle.relativeError(weightedProduct(softmax, weights, oracle)) };
  },
};

const SAMPLES = [16, 64, 256, 1024];

/** The error of sampling falls as one over the root of the number of samples. */
export const productSlope: Claim = {
  ...common,
  name: "product-slope",
  statement: "The error of a sampled product falls with the number of samples as m^(−1/2)",
  formula: "ln ‖PΠᵀΠV − PV‖ = −½ ln m + const",
  assumptions: "independent draws with fixed probabilities",
  measurement: `least-squares slope of ln ‖error‖_F on ln m over m = ${SAMPLES.join(", ")}`,
  rule: { kind: "slope", low: -0.6, high: -0.4 },
  bound: -0.5,
  cases: holdsOn("gaussian", "heavy-tailed", "uniform-softmax"),
  runs: 24,
  async run({ implementation, input, seed }) {
    const oracle = Oracle.of(await input({ valueFeatures: VALUE_FEATURES }));
    checkKeys(oracle.problem.keys, 2, "there is nothing to choose among");
    const probabilities = idealProbabilities(implementation, oracle);
    const errors = SAMPLES.map((samples) => {
      const weights = drawnWeights(implementation, probabilities, samples, seed);
      const product = weightedProduct(oracle.softmax, weights, oracle);
      return Math.sqrt(squaredFrobenius(product.map((x, at) => x - oracle.output[at])));
    });
    return { measured: leastSquaresSlope(SAMPLES.map(Math.log), errors.map(Math.log)) };
  },
};

/** Sampling loses nothing on average. */
export const productUnbiased: Claim = {
  ...common,
  name: "product-unbiased",
  statement: "The sampled product has P V as its expectation, and its sampled mass has the true mass",
  formula: "E PΠᵀΠ[V, 1] = P[V, 1]",
  assumptions: "p_l > 0 wherever column l of P or v_l is not 0",
  measurement:
    "(aᵀ(PΠᵀΠ[V,1] − P[V,1])b) / its standard deviation, which is known exactly; a even, b the mean value and 1",
  rule: { kind: "mean", tolerance: 0.75 },
  bound: 0,
  cases: holdsOn("gaussian", "clustered", "sink-key", "heavy-tailed", "rare-value"),
  runs: 160,
  async run({ implementation, input, seed }) {
    const oracle = Oracle.of(await input({ valueFeatures: VALUE_FEATURES }));
    const { problem: { queries, keys, value, valueFeatures }, softmax } = oracle;
    const probabilities = idealProbabilities(implementation, oracle), samples = 64;
    const total = probabilities.reduce((a, b) => a + b, 0);
    const weights = drawnWeights(implementation, probabilities, samples, seed);
    // What each key adds to aᵀ P [V, 1] b.
    const share = new Float64Array(keys);
    for (let at = 0; at < softmax.length; at++) share[at % keys] += softmax[at] / queries;
    for (let l = 0; l < keys; l++) {
      let along = 1;
      for (let c = 0; c < valueFeatures; c++) along += value[l * valueFeatures + c] / valueFeatures;
      share[l] *= along;
    }
    const truth = share.reduce((a, b) => a + b, 0);
    const second = share.reduce((sum, x, l) => sum + x * x * total / probabilities[l], 0);
    const estimate = share.reduce((sum, x, l) => sum + weights[l] * x, 0);
    return { measured: (estimate - truth) / Math.sqrt(Math.max((second - truth ** 2) / samples, 1e-24)) };
  },
};
