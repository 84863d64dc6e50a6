import type { RandomStream } from "../../../../kernels/random.ts";
import { heaviest } from "../oracle_top_k/heaviest.ts";
import type { ChosenKeys } from "../shared/attend_chosen.ts";

/**
 * A priority sample of weights e^logit (Duffield, Lund and Thorup, "Priority sampling for estimation of arbitrary subset sums", 2007): each
 * weight w has the priority w/u, u uniform on (0, 1); the `most` largest are kept, at max(w, τ), τ the largest priority of the others. The
 * expectation of what a key counts is its weight, whatever the weights are. Everything in logarithms.
 */
export function prioritySample(logits: Float64Array, most: number, random: RandomStream): ChosenKeys {
  const keys = logits.length;
  if (most >= keys) return { count: keys, index: Uint32Array.from({ length: keys }, (_, j) => j), logits };
  const priorities = new Float64Array(keys);
  for (let j = 0; j < keys; j++) priorities[j] = logits[j] - Math.log(random.uniform());
  const first = heaviest(priorities, most + 1);
  let last = 0;
  for (let at = 1; at <= most; at++) if (priorities[first[at]] < priorities[first[last]]) last = at;
  const threshold = priorities[first[last]];
  first[last] = first[most];
  const index = first.subarray(0, most), kept = Float64Array.from(index, (at) => logits[at]);
  return {
    count: most,
    index,
    logits: kept,
    logWeights: kept.map((logit) => Math.max(0, threshold - logit)),
  };
}
