import { holdsOn, searchedCase } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { robustWeights } from "../../estimators/robust/options.ts";
import { robustInput, robustOutput } from "./robust_variants.ts";
import { DELTA, linearSize, SINGLE } from "./settings.ts";

/**
 * Robust attention is a mean of values. Output and denominator are sums of m terms of one sign in f32, each off by at most m 2^−24 of
 * itself in any order (as in `constant-values`), of values no larger than the largest.
 */
export const robustRange: Claim = {
  name: "robust-range",
  statement:
    "Every output of robust attention lies between the least and the largest value of its column, at any logit",
  formula: "min_j V_jc <= R_ic <= max_j V_jc",
  source: "the weights of a row are positive and sum to 1; docs/theory.md §10",
  assumptions: `single precision; ${robustWeights.join(", ")}`,
  measurement:
    "largest excess in units of m 2⁻²³ max |V|, m the number of keys; infinite where an output is not finite",
  rule: { kind: "always", allowed: DELTA },
  bound: 1,
  cases: [
    ...holdsOn("gaussian", "clustered", "heavy-tailed", "sink-key", "huge-logits", "duplicated-keys"),
    ...holdsOn("common-key-offset", "huge-value", "shape-few-keys", "shape-one-key", "shape-one-query"),
    searchedCase,
  ],
  anySource: true,
  n: 64,
  runs: 40,
  size: linearSize,
  async run(context) {
    const input = await robustInput(context), { data, shape: [, keys, width] } = input.value;
    const least = new Float64Array(width).fill(Infinity), most = new Float64Array(width).fill(-Infinity);
    let largest = 0;
    data.forEach((x, at) => {
      least[at % width] = Math.min(least[at % width], x);
      most[at % width] = Math.max(most[at % width], x);
      largest = Math.max(largest, Math.abs(x));
    });
    const unit = keys * SINGLE * (largest || 1), weights = robustWeights[context.run % robustWeights.length];
    let measured = 0;
    (await robustOutput(context, input, { weights })).forEach((x, at) => {
      const excess = Math.max(least[at % width] - x, x - most[at % width]) / unit;
      if (!(excess <= measured)) measured = Number.isNaN(excess) ? Infinity : excess;
    });
    return { measured };
  },
};
