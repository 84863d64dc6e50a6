import { uniformDensity } from "../../estimators/kde/uniform.ts";
import { holdsOn, searchedCase } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { Oracle } from "../measures/oracle.ts";
import { DELTA, VALUE_FEATURES } from "./settings.ts";

const EPSILON = 0.5;

/** The theorem of the paper, end to end. */
export const spectralGuarantee: Claim = {
  name: "spectral-guarantee",
  statement: "Algorithm 1 gives attention within ε‖P‖‖V‖ in operator norm with probability 1 − δ",
  formula: "P[‖Att − D~⁻¹AΠᵀΠV‖ > ε‖D⁻¹A‖‖V‖] <= δ",
  source: "Zandieh, Han, Daliri and Karbasi 2023, the main theorem; docs/theory.md §3",
  assumptions:
    `ε = ${EPSILON}, densities by uniform sampling, exact where that costs no more; as many keys as Bernstein's inequality asks for`,
  measurement: "‖output − PV‖ / (‖P‖‖V‖), P and PV in float64",
  rule: { kind: "probability", allowed: DELTA },
  bound: EPSILON,
  promisedBy: "kdeformer",
  cases: [
    ...holdsOn(
      "gaussian",
      "clustered",
      "heavy-tailed",
      "low-rank",
      "uniform-softmax",
      "permutation-softmax",
      "sink-key",
      "needle",
      "hard-instance",
      "lognormal-logits",
      "huge-logits",
      "common-key-offset",
      "tiny-density",
      "huge-value",
      "rare-value",
      "alternating-values",
      "shape-more-keys",
      "shape-one-query",
    ),
    searchedCase,
  ],
  anySource: true,
  n: 128,
  runs: 60,
  standard: { n: 4096, families: ["gaussian", "low-rank"], runsPerInput: 100 },
  async run({ implementation, input, seed, on, delta }) {
    const oracle = Oracle.of(await input({ valueFeatures: VALUE_FEATURES }));
    const target = { epsilon: EPSILON, delta, densityFloor: 0.01, seed, fit: uniformDensity };
    const { output, keyEvaluations } = await on((backend) =>
      implementation.kdeformer(backend, oracle.problem, target)
    );
    const measured = oracle.relativeError(output);
    return { measured, plot: { error: measured, evaluations: keyEvaluations / oracle.problem.queries } };
  },
};
