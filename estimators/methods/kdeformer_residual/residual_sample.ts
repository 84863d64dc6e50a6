import type { RandomStream } from "../../../kernels/random.ts";

/** Keys and the weights 1/inclusion with which they stand for all keys. */
export interface KeySample {
  readonly index: Uint32Array;
  readonly weights: Float64Array;
}

/**
 * Keys drawn with chances proportional to `importance`, without ever drawing one that is sure to be drawn anyway: keys
 * whose expected number of draws reaches 1 are taken once, with weight 1 and so without error, and the rest share
 * what is left of the budget. Those are drawn one from each stretch of equal importance, in the order of the keys, so
 * that neighbours, which are alike in text and images, stand for each other.
 *
 * @param importance Positive.
 */
export function sampleResidual(importance: Float64Array, samples: number, stream: RandomStream): KeySample {
  const { certain, rest } = certainKeys(importance, samples);
  const index: number[] = [...certain], weights: number[] = index.map(() => 1);
  const draws = samples - certain.size;
  let key = -1, above = 0, draw = 0;
  let target = stream.uniform() / draws * rest;
  while (draw < draws && ++key < importance.length) {
    if (certain.has(key)) continue;
    above += importance[key];
    let times = 0;
    for (; draw < draws && target < above; target = (++draw + stream.uniform()) / draws * rest) times++;
    if (times === 0) continue;
    index.push(key);
    weights.push(times * rest / (draws * importance[key]));
  }
  return { index: Uint32Array.from(index), weights: Float64Array.from(weights) };
}

/**
 * Keys whose share of what is left fills a whole draw. Taking one raises the share of the others, so the sets grow until
 * none is added.
 */
function certainKeys(importance: Float64Array, samples: number): { certain: Set<number>; rest: number } {
  const certain = new Set<number>();
  for (;;) {
    let rest = 0;
    for (let key = 0; key < importance.length; key++) if (!certain.has(key)) rest += importance[key];
    const threshold = rest / (samples - certain.size), before = certain.size;
    if (!(threshold > 0)) return { certain, rest };
    for (let key = 0; key < importance.length && certain.size < samples; key++) {
      if (importance[key] >= threshold) certain.add(key);
    }
    if (certain.size === before) return { certain, rest };
  }
}
