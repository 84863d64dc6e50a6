/** Softmax of as many logits as there are weights, in float64; returns their log-sum-exp. */
export function softmax(logit: (at: number) => number, weights: Float32Array | Float64Array): number {
  const count = weights.length, logits = new Float64Array(count);
  let largest = -Infinity, total = 0;
  for (let at = 0; at < count; at++) largest = Math.max(largest, logits[at] = logit(at));
  for (let at = 0; at < count; at++) total += logits[at] = Math.exp(logits[at] - largest);
  for (let at = 0; at < count; at++) weights[at] = logits[at] / total;
  return largest + Math.log(total);
}
