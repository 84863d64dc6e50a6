import type { Thinning } from "./compress_keys.ts";
import { halvingProducts } from "./halve_bucket.ts";

/** Smallest buckets that the paper has. */
const SMALLEST = 4;
/** The authors' chance of failure. */
const DELTA = 0.5;

/**
 * The paper's g: 2^g √n keys are kept of n, a power of four, with buckets of 4^(g+1) at first. Of another n as many rounds are made as for the
 * next power of four, so that no more are kept than 2^g √n.
 */
export function publishedThinning(keys: number, g: number): Thinning {
  const rounds = Math.max(0, Math.ceil(Math.log2(keys) / 2) - g);
  return { rounds, bucket: 4 ** (g + 1), delta: DELTA };
}

/** Every ⌊n/4^k⌋-th of the first keys, 4^k of them, the largest power of four within n: those that the authors' code looks at. */
export function stridedKeys(keys: number): Uint32Array {
  const count = 4 ** Math.floor(Math.log2(keys) / 2), stride = Math.floor(keys / count);
  return Uint32Array.from({ length: count }, (_, at) => at * stride);
}

/**
 * The fewest rounds that leave enough of the evaluations for buckets of the paper's smallest size or more, and the largest buckets that
 * there is enough for. Where keys are so many more than queries that there never is, coins choose as many keys as the budget has.
 *
 * @param evaluations All that may be spent on a head.
 */
export function planThinning(queries: number, keys: number, evaluations: number): Thinning {
  const fits = (rounds: number, bucket: number) =>
    mostKept(keys, rounds) * queries + mostProducts(keys, rounds, bucket) <= evaluations;
  const last = Math.ceil(Math.log2(keys));
  for (let rounds = 1; rounds <= last; rounds++) {
    if (!fits(rounds, SMALLEST)) continue;
    let bucket = SMALLEST, step = SMALLEST;
    while (step > 1) {
      if (bucket < keys && fits(rounds, bucket + step)) {
        bucket += step;
        step *= 2;
      } else step /= 2;
    }
    return { rounds, bucket, delta: DELTA };
  }
  const rounds = Math.max(0, Math.ceil(Math.log2(keys * queries / evaluations)));
  return { rounds, bucket: 2, delta: DELTA };
}

/** Keys that are left at most: each round may keep one that has no neighbour. */
function mostKept(keys: number, rounds: number): number {
  return Math.ceil(keys / 2 ** rounds);
}

/** Products of keys with themselves and each other, at most. */
function mostProducts(keys: number, rounds: number, bucket: number): number {
  let products = keys;
  for (let round = 0, size = bucket; round < rounds; round++, size *= 2) {
    const left = mostKept(keys, round);
    products += Math.floor(left / size) * halvingProducts(size) + halvingProducts(left % size);
  }
  return products;
}
