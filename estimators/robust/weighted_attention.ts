import { type Backend, EMPTY, MASKED } from "../../kernels/backend.ts";
import type { CentredProblem } from "../core/centred.ts";
import { exactAttention, type HostAttention } from "../core/exact.ts";
import type { Problem } from "../core/problem.ts";

/** e to this is a factor beyond any that a ratio of densities may have: the output is clipped anyway. */
const LARGEST_EXPONENT = 80;

/**
 * Attention in which each key has a weight: Σ_j ω_j v_j e^s_ij / Σ_j ω_j e^s_ij. A weight is its logarithm added to the logits, so that no
 * logit overflows and outputs are means of the values of keys with a weight, with weights that sum to 1.
 *
 * @param weights [heads, keys], at least 0, some of each head above; those of hidden keys do not matter
 */
export async function weightedAttention(
  backend: Backend,
  { exact }: CentredProblem,
  weights: Float64Array,
  signal?: AbortSignal,
): Promise<HostAttention> {
  const logWeights = Float32Array.from(weights, (weight, at) => {
    const shared = exact.logWeights ? exact.logWeights[at] : 0;
    return shared <= MASKED || weight === 0 ? EMPTY : shared + Math.log(weight);
  });
  return await exactAttention(backend, { ...exact, logWeights }, { signal });
}

/**
 * The ratio of two densities as the paper has it: Σ_j ω_j v_j e^s_ij / Σ_j ω'_j e^s_ij with joint weights ω and marginal ones ω', those of
 * each head of mean 1. The factors of the values, ω_j/ω'_j, need not average to 1, so that this is no mean of values: adding a constant to
 * the values does not add it to the output. What leaves the range of the values and 0, column by column, is clipped to it.
 *
 * @param joint [heads, keys], at least 0
 * @param marginal [heads, keys], at least 0; keys without one have no joint weight either
 */
export async function separateDensities(
  backend: Backend,
  centred: CentredProblem,
  joint: Float64Array,
  marginal: Float64Array,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const { exact } = centred, { heads, queries, valueFeatures } = exact;
  const below = ofMeanOne(exact, marginal);
  const above = ofMeanOne(exact, joint.map((weight, at) => marginal[at] > 0 ? weight : 0));
  const top = await weightedAttention(backend, centred, above, signal);
  const bottom = await weightedAttention(backend, centred, below, signal);
  const ranges = rangesWithZero(exact), output = new Float32Array(top.output.length);
  for (let row = 0; row < heads * queries; row++) {
    const exponent = top.logSumExp[row] - bottom.logSumExp[row], head = Math.floor(row / queries);
    const factor = Math.exp(Math.min(exponent, LARGEST_EXPONENT));
    for (let c = 0; c < valueFeatures; c++) {
      const at = row * valueFeatures + c, [least, most] = ranges[head * valueFeatures + c];
      output[at] = Math.max(least, Math.min(most, factor * top.output[at]));
    }
  }
  return output;
}

/** Weights over their mean among the keys of the head that are seen; as they are where all are 0. */
function ofMeanOne({ heads, keys, logWeights }: Problem, weights: Float64Array): Float64Array {
  const scaled = weights.slice();
  for (let head = 0; head < heads; head++) {
    let sum = 0, count = 0;
    for (let at = head * keys; at < (head + 1) * keys; at++) {
      if (logWeights && logWeights[at] <= MASKED) continue;
      sum += weights[at];
      count++;
    }
    if (sum === 0) continue;
    for (let at = head * keys; at < (head + 1) * keys; at++) scaled[at] *= count / sum;
  }
  return scaled;
}

/** Least and largest of 0 and the values of keys that are seen, of each column of each head. */
function rangesWithZero({ heads, keys, valueFeatures, value, logWeights }: Problem): [number, number][] {
  const ranges = Array.from({ length: heads * valueFeatures }, (): [number, number] => [0, 0]);
  for (let row = 0; row < heads * keys; row++) {
    if (logWeights && logWeights[row] <= MASKED) continue;
    for (let c = 0; c < valueFeatures; c++) {
      const range = ranges[Math.floor(row / keys) * valueFeatures + c], x = value[row * valueFeatures + c];
      range[0] = Math.min(range[0], x);
      range[1] = Math.max(range[1], x);
    }
  }
  return ranges;
}
