import { squaredNorms } from "../../estimators/kde/log_domain.ts";
import { holdsOn, searchedCase } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { Oracle } from "../measures/oracle.ts";
import { drawnWeights, logColumnNorms, squaredFrobenius, weightedProduct } from "./sampled_product.ts";
import { DELTA, VALUE_FEATURES } from "./settings.ts";

/** Entries of P above this many times 1/n_k count as heavy. */
const HEAVY = 4;
const EPSILON = 0.5;

const common = {
  source: "docs/theory.md §4",
  anySource: true,
  n: 128,
  cases: [
    ...holdsOn(
      "gaussian",
      "clustered",
      "permutation-softmax",
      "needle",
      "sink-key",
      "lognormal-logits",
      "heavy-tailed",
      "shape-more-keys",
    ),
    searchedCase,
  ],
} as const;

/** P without its heavy entries. */
function residualOf({ softmax, problem: { keys } }: Oracle): Float64Array {
  return softmax.map((p) => p > HEAVY / keys ? 0 : p);
}

/** Why heavy entries are computed exactly. */
export const residualMass: Claim = {
  ...common,
  name: "residual-mass",
  statement:
    "Without its entries above c/n_k the softmax matrix has a squared Frobenius norm of at most c n_q/n_k",
  formula: "R_ij = P_ij [P_ij <= c/n_k] ⟹ ‖R‖_F² <= c n_q/n_k",
  assumptions: `c = ${HEAVY}`,
  measurement: "‖R‖_F² n_k/(c n_q) in float64",
  rule: { kind: "always", allowed: DELTA },
  bound: 1,
  runs: 50,
  async run({ input }) {
    const oracle = new Oracle(await input({ valueFeatures: 1 })), { queries, keys } = oracle.problem;
    return { measured: squaredFrobenius(residualOf(oracle)) * keys / (HEAVY * queries) };
  },
};

/** Sampling what is left is cheap, even where the stable rank of P is n. */
export const residualSampling: Claim = {
  ...common,
  name: "residual-sampling",
  statement:
    "With heavy entries exact, the samples for P V follow ‖R‖_F²/‖P‖² in the place of the stable rank of P",
  formula: "m from s = 2 max(‖R‖_F²/‖P‖², srank V, 1) ⟹ P[‖RΠᵀΠV − RV‖ > ε‖P‖‖V‖] <= δ",
  assumptions: `ε = ${EPSILON}, c = ${HEAVY}; probabilities from the column norms of R`,
  measurement: "‖(P − R)V + RΠᵀΠV − PV‖ / (‖P‖‖V‖) in float64",
  rule: { kind: "probability", allowed: DELTA },
  bound: EPSILON,
  runs: 60,
  async run({ implementation, input, seed, delta }) {
    const oracle = new Oracle(await input({ valueFeatures: VALUE_FEATURES })), residual = residualOf(oracle);
    const { problem: { queries, keys, value, valueFeatures }, softmaxNorm, valueNorm } = oracle;
    const stableRank = Math.max(
      1,
      squaredFrobenius(residual) / softmaxNorm ** 2,
      squaredFrobenius(value) / valueNorm ** 2,
    );
    const samples = implementation.bernsteinSamples({
      epsilon: EPSILON,
      delta,
      dimensions: queries + valueFeatures,
      stableRank,
      looseness: 2,
    });
    const probabilities = implementation.keyProbabilities(
      logColumnNorms(residual, keys),
      squaredNorms(value, valueFeatures),
    );
    const weights = drawnWeights(implementation, probabilities, samples, seed);
    const error = weightedProduct(residual, weights.map((w) => w - 1), oracle);
    const measured = oracle.relativeError(oracle.output.map((x, at) => x + error[at]));
    return { measured, plot: { error: measured, samples, stableRank } };
  },
};
