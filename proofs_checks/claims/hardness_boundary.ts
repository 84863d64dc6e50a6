import { familySource, ownCase, refutedOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { lognormalLogits } from "../inputs/logit_scale.ts";
import { checkKeys, DELTA } from "./settings.ts";
import { Oracle } from "../measures/oracle.ts";

const EPSILON = 3 / 8;

/** Largest logits of n standard normal ones are about √(2 ln n): σ for a largest logit of `share` · ln n. */
function sigmaFor(share: number, n: number): number {
  return share * Math.log(n) / Math.sqrt(2 * Math.log(n));
}

const N = 384, LEAST_KEYS = N / 2;
const logits = (share: number) =>
  familySource(lognormalLogits, { sigma: sigmaFor(share, N) }, `lognormal-logits-${share}-ln-n`);
const beyond =
  "logits of the order of ln n let single keys decide, which no sub-quadratic method finds under SETH";

/** Where sub-quadratic attention ends. */
export const hardnessBoundary: Claim = {
  name: "hardness-boundary",
  statement:
    "A sixth of the keys per query gives an error of three eighths of ‖P‖‖V‖ while logits stay well below ln n, and not beyond",
  formula: "max logit = c ln n: P[‖Att~ − Att‖ > ⅜‖P‖‖V‖] <= δ for small c, not for c of 2 and more",
  source: "Alman and Song 2023; Haverbeck et al. 2026, Lemma A.5",
  assumptions:
    `practical KDEformer, bucket n/24 and n/8 samples; values of one feature; normal logits of the deviation that makes the largest about c ln n`,
  measurement: "‖Att~ − Att‖ / (‖P‖‖V‖)",
  rule: { kind: "probability", allowed: DELTA },
  ownDelta: true,
  bound: EPSILON,
  cases: [
    ownCase(logits(0.125)),
    ownCase(logits(0.25)),
    ownCase(logits(0.5)),
    ownCase(logits(2), "refuted", beyond),
    ownCase(logits(3), "refuted", beyond),
    refutedOn("hard-instance", beyond),
  ],
  anySource: false,
  n: N,
  runs: 60,
  async run({ implementation, input, seed, on, family }) {
    const oracle = new Oracle(await input({ valueFeatures: 1 })), { keys } = oracle.problem;
    checkKeys(keys, LEAST_KEYS, `their logits are those of n = ${N}, and the statement is about a growing n`);
    const budget = { bucketSize: Math.ceil(keys / 24), samples: Math.ceil(keys / 8), seed };
    const { output } = await on((backend) =>
      implementation.methods["kdeformer-practical"](backend, oracle.problem, budget, {})
    );
    const measured = oracle.relativeError(output), share = /-([\d.]+)-ln-n$/.exec(family)?.[1];
    return { measured, plot: { error: measured, ...(share && { logitShare: Number(share) }) } };
  },
};
