import type { HostAttention } from "../../../core/exact.ts";
import type { Problem } from "../../../core/problem.ts";
import type { MatchedKeys } from "./choose_keys.ts";
import type { Head } from "../shared/each_head.ts";

/**
 * Softmax of all queries over the kept keys with values of any size, in float64: those without a ridge may be 10^13 times as large as what they
 * add up to.
 *
 * @param values [kept, valueFeatures]
 */
export function preciseAnswers(
  { queries, features, valueFeatures, scale }: Problem,
  { query, key }: Head,
  { keys, masses }: MatchedKeys,
  values: Float64Array,
): HostAttention {
  const output = new Float32Array(queries * valueFeatures), logSumExp = new Float32Array(queries);
  const logits = new Float64Array(keys.length), sums = new Float64Array(valueFeatures);
  for (let row = 0; row < queries; row++) {
    let largest = -Infinity, total = 0;
    for (let s = 0; s < keys.length; s++) {
      let product = 0;
      for (let c = 0; c < features; c++) product += query[row * features + c] * key[keys[s] * features + c];
      logits[s] = scale * product + Math.log(masses[s]);
      largest = Math.max(largest, logits[s]);
    }
    sums.fill(0);
    for (let s = 0, at = 0; s < keys.length; s++) {
      const share = Math.exp(logits[s] - largest);
      total += share;
      for (let c = 0; c < valueFeatures; c++, at++) sums[c] += share * values[at];
    }
    for (let c = 0; c < valueFeatures; c++) output[row * valueFeatures + c] = sums[c] / total;
    logSumExp[row] = largest + Math.log(total);
  }
  return { output, logSumExp };
}
