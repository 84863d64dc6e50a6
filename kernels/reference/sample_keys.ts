import type { DeviceArray } from "../backend.ts";
import { blockStart } from "../partition.ts";
import { multiplyHigh, randomWord } from "../random.ts";
import type { Arguments } from "../primitives.ts";
import { floats, floatValues, words } from "./array.ts";
import type { Steps } from "./steps.ts";

/** Stratified sampling in exact integer arithmetic: see `Backend.sampleKeys`. */
export function* sampleKeys(
  args: Arguments<"sampleKeys">,
): Steps<{ index: DeviceArray; logWeight: DeviceArray }> {
  const { heads, keys, samples, seed, purpose, firstStream } = args;
  const index = new Uint32Array(heads * samples), logWeight = new Float64Array(heads * samples);
  yield { index: words(index), logWeight: floats(logWeight) };
  const importance = floatValues(args.importance);
  for (let head = 0; head < heads; head++) {
    const own = importance.subarray(head * keys, (head + 1) * keys);
    const total = own.reduce((a, b) => a + b, 0);
    const weights = own.map((x) => 1 + (total > 0 ? Math.floor(x * (2 ** 30 / total)) : 0));
    const weightTotal = weights.reduce((a, b) => a + b, 0);
    let key = 0, below = 0;
    for (let i = 0; i < samples; i++) {
      const start = blockStart(i, weightTotal, samples),
        size = blockStart(i + 1, weightTotal, samples) - start;
      const target = start + multiplyHigh(randomWord(seed, purpose, firstStream + head, i), size);
      while (below + weights[key] <= target) below += weights[key++];
      index[head * samples + i] = key;
      logWeight[head * samples + i] = Math.log(weightTotal / samples / weights[key]);
      yield;
    }
  }
}
