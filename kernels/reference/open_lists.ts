import type { Arguments } from "../primitives.ts";
import type { OpenLists } from "../tree_primitives.ts";
import { floats, floatValues, words, wordValues } from "./array.ts";
import type { Steps } from "./steps.ts";

const float = new Float32Array(1), word = new Uint32Array(float.buffer);
/** Numbers whose last 16 bits are 0, counted from 0 by the other bits: 2^127 is the last that is a threshold. */
const LAST = 0x7f00;

/** Thresholds of gains, and the lengths of the lists that they cut. */
export function* openLists(args: Arguments<"openLists">): Steps<OpenLists> {
  const { heads, centres, count, budget } = args;
  const threshold = new Float64Array(heads), lengths = new Uint32Array(heads * centres);
  yield { threshold: floats(threshold), lengths: words(lengths) };
  const gains = floatValues(args.gains), sizes = wordValues(args.sizes);
  for (let head = 0; head < heads; head++) {
    const entries = new Float64Array(LAST + 1);
    let used = 0;
    for (let i = head * centres; i < (head + 1) * centres; i++) {
      used += sizes[i];
      for (let j = 1; j < count; j++) entries[Math.min(LAST, step(gains[i * count + j]))] += sizes[i];
      yield;
    }
    let least = LAST + 1;
    while (least > 1 && used + entries[least - 1] <= budget) used += entries[--least];
    threshold[head] = numberOf(Math.min(least, LAST));
    for (let i = head * centres; i < (head + 1) * centres; i++) {
      lengths[i] = 1;
      for (let j = 1; j < count; j++) {
        lengths[i] += Number(Math.fround(gains[i * count + j]) >= threshold[head]);
      }
      yield;
    }
  }
}

function step(gain: number): number {
  float[0] = gain;
  return word[0] >>> 16;
}

function numberOf(step: number): number {
  word[0] = step << 16;
  return float[0];
}
