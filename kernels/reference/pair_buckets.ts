import type { DeviceArray } from "../backend.ts";
import type { Arguments } from "../primitives.ts";
import { words, wordValues } from "./array.ts";
import type { Steps } from "./steps.ts";

/** Blocks of queries and keys of the same bucket. */
export function* pairBuckets(args: Arguments<"pairBuckets">): Steps<DeviceArray> {
  const { heads, queries, keys, buckets, mostQueries, mostKeys } = args;
  const blocks = Math.ceil(queries / mostQueries) + buckets;
  const positions = new Uint32Array(heads * blocks * 4);
  yield words(positions);
  for (let head = 0; head < heads; head++) {
    const firstQueries = firstOfBuckets(wordValues(args.queryRanks), head, queries, buckets);
    const firstKeys = firstOfBuckets(wordValues(args.keyRanks), head, keys, buckets);
    let block = head * blocks;
    yield;
    for (let bucket = 0; bucket < buckets; bucket++) {
      const first = firstQueries[bucket], end = firstQueries[bucket + 1];
      const surplus = Math.max(0, firstKeys[bucket + 1] - firstKeys[bucket] - mostKeys);
      const key = Math.min(keys - 1, firstKeys[bucket] + Math.floor(surplus / 2));
      const keyEnd = key + Math.max(1, Math.min(mostKeys, firstKeys[bucket + 1] - firstKeys[bucket]));
      for (let query = first; query < end; query += mostQueries) {
        positions.set([query, Math.min(end, query + mostQueries), key, keyEnd], 4 * block++);
      }
    }
  }
}

/** Position of the first of the sorted rows of each bucket, and the end of the last bucket. */
function firstOfBuckets(ranks: Uint32Array, head: number, count: number, buckets: number): Uint32Array {
  const first = new Uint32Array(buckets + 1);
  for (let row = 0; row < count; row++) first[ranks[head * count + row] + 1]++;
  for (let bucket = 0; bucket < buckets; bucket++) first[bucket + 1] += first[bucket];
  return first;
}
