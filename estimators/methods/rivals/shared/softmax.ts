/** Softmax of as many logits as there are weights, in float64; returns their log-sum-exp. */
export function softmax(logit: (at: number) => number, weights: Float32Array | Float64Array): number {
  const logits = Float64Array.from(weights, (_, at) => logit(at));
  let largest = -Infinity, total = 0;
  for (const x of logits) largest = Math.max(largest, x);
  for (let at = 0; at < logits.length; at++) total += logits[at] = Math.exp(logits[at] - largest);
  for (let at = 0; at < logits.length; at++) weights[at] = logits[at] / total;
  return largest + Math.log(total);
}
