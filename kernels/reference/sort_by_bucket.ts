import type { DeviceArray } from "../backend.ts";
import type { Arguments } from "../primitives.ts";
import { words, wordValues } from "./array.ts";
import type { Steps } from "./steps.ts";

/** Stable counting sort of each head's rows by bucket. */
export function* sortByBucket(
  args: Arguments<"sortByBucket">,
): Steps<{ order: DeviceArray; position: DeviceArray }> {
  const { heads, count, buckets } = args;
  const order = new Uint32Array(heads * count), position = new Uint32Array(heads * count);
  yield { order: words(order), position: words(position) };
  const ranks = wordValues(args.ranks);
  for (let head = 0; head < heads; head++) {
    const next = new Uint32Array(buckets + 1);
    for (let i = 0; i < count; i++) next[ranks[head * count + i] + 1]++;
    for (let bucket = 0; bucket < buckets; bucket++) next[bucket + 1] += next[bucket];
    for (let i = 0; i < count; i++) {
      const at = next[ranks[head * count + i]]++;
      order[head * count + at] = i;
      position[head * count + i] = at;
    }
    yield;
  }
}
