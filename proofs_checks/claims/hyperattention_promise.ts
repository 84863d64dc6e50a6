import { squaredNorms } from "../../estimators/kde/log_domain.ts";
import { holdsOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { NotApplicable } from "../engine/outcome.ts";
import { Oracle } from "../measures/oracle.ts";
import { logColumnNorms, squaredFrobenius } from "./sampled_product.ts";
import { DELTA } from "./settings.ts";

const EPSILON = 0.5, BLOCK = 32;

/** Blocks and even draws, as many as the theorem asks for where no column of P stands out. */
export const hyperattentionPromise: Claim = {
  name: "hyperattention-promise",
  statement:
    "Blocks and as many even draws as no column of P and no value calls for more of give attention within ε‖P‖‖V‖",
  formula: "m = (4s + 2(s+1)ε/3) ln((n+d)/δ)/ε², s = n max_l p_l · srank ⟹ P[‖Att~ − Att‖ > ε‖P‖‖V‖] <= δ",
  source: "Han et al. 2024, HyperAttention, theorem 1; Tropp 2012; docs/theory.md §3",
  assumptions:
    `ε = ${EPSILON}, blocks of ${BLOCK}; p_l the share of key l in ‖P‖_F² and ‖V‖_F²; where m is no less than n nothing is said`,
  measurement: "‖Att~ − Att‖ / (‖P‖‖V‖), which its denominators err too",
  rule: { kind: "probability", allowed: DELTA },
  bound: EPSILON,
  promisedBy: "hyperattention",
  cases: holdsOn("bounded-norms"),
  anySource: true,
  n: 1024,
  runs: 60,
  async run({ implementation, input, seed, run, on, delta }) {
    const oracle = new Oracle(await input({ valueFeatures: 2 })),
      { problem, softmax, softmaxNorm, valueNorm } = oracle;
    const { queries, keys, value, valueFeatures } = problem;
    const columns = logColumnNorms(softmax, keys).map(Math.exp), norms = squaredNorms(value, valueFeatures);
    const samples = implementation.bernsteinSamples({
      epsilon: EPSILON,
      delta,
      dimensions: queries + valueFeatures,
      stableRank: Math.max(
        squaredFrobenius(softmax) / softmaxNorm ** 2,
        squaredFrobenius(value) / valueNorm ** 2,
      ),
      looseness: keys * Math.max(largestShare(columns), largestShare(norms)),
    });
    if (run === 0 && samples + BLOCK >= keys) {
      throw new NotApplicable(`it asks for ${samples} even draws of ${keys} keys`);
    }
    const budget = { bucketSize: BLOCK, samples: Math.min(samples, keys), seed };
    const { output } = await on((backend) =>
      implementation.methods.hyperattention(backend, problem, budget, {})
    );
    const measured = oracle.relativeError(output);
    return { measured, plot: { error: measured, evaluations: samples } };
  },
};

/** The largest part of a sum; 0 if all is 0. */
function largestShare(parts: ArrayLike<number>): number {
  let largest = 0, sum = 0;
  for (let at = 0; at < parts.length; at++) {
    largest = Math.max(largest, parts[at]);
    sum += parts[at];
  }
  return sum === 0 ? 0 : largest / sum;
}
