import { makeProblem } from "../../estimators/core/problem.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { noInput, ownCase } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { plainAttention } from "../measures/plain_attention.ts";
import { drawNormalHeads } from "./normal_heads.ts";
import { differenceOf } from "./exact_cases.ts";
import { checkKeys, DELTA } from "./settings.ts";

const LEAST_KEYS = 400;
/** Key heads, and query heads to each of them. */
const HEADS: Readonly<Record<string, { readonly keyHeads: number; readonly group: number }>> = {
  "one-head": { keyHeads: 1, group: 1 },
  "several-heads": { keyHeads: 3, group: 1 },
  "grouped-heads": { keyHeads: 2, group: 2 },
};
/** What attempts may cost of exact attention. */
const MOST_LOST = 0.12;

/** What a user gets where no certificate can be given: rows that were checked on the way count as done. */
export const certificateRefused: Claim = {
  name: "certificate-refused",
  statement: `Where a certificate is refused the output is exact attention, and attempts have cost at most ${
    100 * MOST_LOST
  } % of it`,
  formula: "certificate refused ⟹ Att~ = Att",
  source: "estimators/certified/attend_within.ts; estimators/certified/exact_rows.ts",
  assumptions: "ε = 0.8, asked of the practical KDEformer with 32 of n keys per query, which errs more",
  measurement:
    "largest difference from the formula in float64, over what rounding of the logits explains; infinite if more was evaluated",
  rule: { kind: "always", allowed: DELTA },
  bound: 1,
  cases: Object.keys(HEADS).map((name) => ownCase(noInput(name))),
  anySource: false,
  n: LEAST_KEYS,
  runs: 60,
  size: (n) => 4 * n * n,
  async run({ implementation, device, family, n, seed }) {
    checkKeys(n, LEAST_KEYS, "an attempt is to cost a small part of exact attention");
    const { query, key, value, options } = drawNormalHeads(new RandomStream(seed, Purpose.data), {
      ...HEADS[family],
      queries: n,
      keys: n,
      features: 8,
      valueFeatures: 4,
      apart: 0,
      causal: false,
      masked: false,
      scale: 0.35,
    });
    const { output, stats, certificate } = await implementation.attention(query, key, value, {
      ...options,
      method: "kdeformer-practical",
      device,
      epsilon: 0.8,
      seed,
      checkSeed: seed,
      bucketSize: 16,
      samples: 16,
    });
    const problem = makeProblem(query, key, value, options), pairs = problem.heads * problem.queries * n;
    // One that holds says nothing of what is done where it does not.
    if (certificate?.kind !== "exact") return { measured: 0, telling: false };
    const measured = differenceOf(problem, output.data, plainAttention(problem).output);
    return {
      measured: stats.keyEvaluations <= (1 + MOST_LOST) * pairs ? measured : Infinity,
      telling: stats.keyEvaluations > pairs,
    };
  },
};
