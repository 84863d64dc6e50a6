import { MASKED } from "../../kernels/backend.ts";
import type { Problem } from "../../estimators/core/problem.ts";

/** Output and log-sum-exps by the formula in float64. */
export interface PlainAttention {
  /** [heads, queries, valueFeatures] */
  readonly output: Float64Array;
  /** [heads, queries] */
  readonly logSumExp: Float64Array;
}

/** Attention to what causal order and mask let each query see, by the formula in float64, independently of every kernel. */
export function plainAttention(problem: Problem): PlainAttention {
  const { heads, queries, keys, features, valueFeatures, scale, query, key, value } = problem;
  const { period, causalOffset, logWeights } = problem;
  const output = new Float64Array(heads * queries * valueFeatures);
  const logSumExp = new Float64Array(heads * queries), logits = new Float64Array(keys);
  for (let row = 0; row < logSumExp.length; row++) {
    const first = Math.floor(row / queries) * keys;
    const last = causalOffset === undefined ? keys - 1 : row % queries % period + causalOffset;
    let largest = -Infinity;
    for (let j = 0; j < keys; j++) {
      let product = 0;
      for (let t = 0; t < features; t++) {
        product += query[row * features + t] * key[(first + j) * features + t];
      }
      const hidden = j > last || logWeights !== undefined && logWeights[first + j] <= MASKED;
      logits[j] = hidden ? -Infinity : scale * product;
      largest = Math.max(largest, logits[j]);
    }
    let total = 0;
    for (let j = 0; j < keys; j++) total += logits[j] = Math.exp(logits[j] - largest);
    logSumExp[row] = largest + Math.log(total);
    for (let j = 0; j < keys; j++) {
      if (logits[j] === 0) continue;
      for (let c = 0; c < valueFeatures; c++) {
        output[row * valueFeatures + c] += logits[j] / total * value[(first + j) * valueFeatures + c];
      }
    }
  }
  return { output, logSumExp };
}
