import { EMPTY } from "../../../../kernels/backend.ts";

/** Keys that one query attends to, and with what weight; only the first `count` of each array count. */
export interface ChosenKeys {
  readonly count: number;
  /** Their rows. */
  readonly index: ArrayLike<number>;
  /** Their logits, scale included. */
  readonly logits: ArrayLike<number>;
  /** Added to these; 0 if left out. */
  readonly logWeights?: ArrayLike<number>;
}

/**
 * Softmax over the keys that one query has chosen, in float64: output Σ e^(logit + weight) v / Σ e^(logit + weight) into a row.
 *
 * @param value [keys, width] of the head.
 * @param output [width], all 0.
 * @returns Log-sum-exp of the row; EMPTY if there is no key.
 */
export function attendChosen(
  { count, index, logits, logWeights }: ChosenKeys,
  value: Float32Array,
  output: Float32Array,
): number {
  const width = output.length, sums = new Float64Array(width);
  let largest = -Infinity, total = 0;
  for (let at = 0; at < count; at++) largest = Math.max(largest, logits[at] + (logWeights?.[at] ?? 0));
  if (largest === -Infinity) return EMPTY;
  for (let at = 0; at < count; at++) {
    const weight = Math.exp(logits[at] + (logWeights?.[at] ?? 0) - largest), first = index[at] * width;
    total += weight;
    for (let c = 0; c < width; c++) sums[c] += weight * value[first + c];
  }
  for (let c = 0; c < width; c++) output[c] = sums[c] / total;
  return largest + Math.log(total);
}
