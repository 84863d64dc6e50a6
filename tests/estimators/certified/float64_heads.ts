import { operatorNorm } from "../../../estimators/linear_algebra/operator_norm.ts";
import { largestSingularValue } from "../../../proofs_checks/measures/largest_singular_value.ts";
import { makeProblem, type Problem, type ProblemOptions } from "../../../estimators/core/problem.ts";
import { MASKED } from "../../../kernels/backend.ts";
import type { Tensor } from "../../../kernels/tensor.ts";

/** One query head of an attention problem in float64. */
export interface Float64Head {
  /** [period, valueFeatures] */
  readonly output: Float64Array;
  /** ‖P‖·‖V‖, to a millionth; the values of hidden keys left out. */
  readonly product: number;
}

/**
 * Attention of every query head by the formula, independently of every kernel. Keys are taken less the first visible one,
 * which is exact in float64 and keeps the digits of logits far from 0.
 */
export function float64Heads(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: ProblemOptions = {},
): Float64Head[] {
  const problem = makeProblem(query, key, value, options);
  const { heads, queries, period } = problem, group = queries / period;
  return Array.from({ length: heads * group }, (_, head) => headOf(problem, head, Math.floor(head / group)));
}

function headOf(problem: Problem, head: number, keyHead: number): Float64Head {
  const { period, keys, features, valueFeatures, scale, causalOffset, logWeights } = problem;
  const softmax = new Float64Array(period * keys), output = new Float64Array(period * valueFeatures);
  const firstKey = keyHead * keys * features, firstValue = keyHead * keys * valueFeatures;
  const hidden = (j: number) => logWeights !== undefined && logWeights[keyHead * keys + j] <= MASKED;
  let origin = firstKey;
  for (let j = 0; hidden(j); j++) origin += features;
  for (let i = 0; i < period; i++) {
    const row = softmax.subarray(i * keys, (i + 1) * keys).fill(-Infinity);
    let largest = -Infinity, total = 0;
    for (let j = 0; j < keys; j++) {
      if (hidden(j) || (causalOffset !== undefined && j > i + causalOffset)) continue;
      let product = 0;
      for (let t = 0; t < features; t++) {
        const k = problem.key[firstKey + j * features + t] - problem.key[origin + t];
        product += problem.query[(head * period + i) * features + t] * k;
      }
      row[j] = scale * product;
      largest = Math.max(largest, row[j]);
    }
    for (let j = 0; j < keys; j++) total += row[j] = Math.exp(row[j] - largest);
    for (let j = 0; j < keys; j++) {
      row[j] /= total;
      for (let c = 0; c < valueFeatures; c++) {
        output[i * valueFeatures + c] += row[j] * problem.value[firstValue + j * valueFeatures + c];
      }
    }
  }
  const values = Float64Array.from(
    { length: keys * valueFeatures },
    (_, at) => hidden(Math.floor(at / valueFeatures)) ? 0 : problem.value[firstValue + at],
  );
  const softmaxNorm = largestSingularValue(softmax, period, keys);
  return { output, product: softmaxNorm * operatorNorm(values, keys, valueFeatures) };
}

/** ‖output − attention‖ of each query head. */
export function headErrors(
  output: ArrayLike<number>,
  heads: readonly Float64Head[],
  width: number,
): number[] {
  return heads.map((head, at) => {
    const first = at * head.output.length;
    const error = Float64Array.from(head.output, (x, c) => output[first + c] - x);
    return operatorNorm(error, error.length / width, width);
  });
}
