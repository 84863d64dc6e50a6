import type { RandomStream } from "../../../../kernels/random.ts";
import type { PairKernel } from "./pair_kernel.ts";

/**
 * Kernel halving: of each pair of neighbours in a bucket one stays, so that the sums of the kernel over those that stay and over those
 * that go are nearly the same. Pair i differs from the pairs before it by a_i = Σ_{j<i} ±D_ij, D the double difference of the kernel; it
 * is swapped if u <= a_i with u uniform within ±L · √D_ii · max_{j<=i} √D_jj, and then its sign is −1. At last a coin decides whether those that stay
 * or those that go are kept, so that each is kept at even odds. Where the last one has no neighbour, the place beside it is empty: its kernel
 * with all is 0.
 *
 * @param count Members of the bucket.
 * @param kernel Of the members; none is asked for a bucket of one pair, which the coin decides alone.
 * @param limit L, below 1/2 + ln(2/δ) with a small chance δ that some |a_i| exceeds the limits of u.
 * @returns Places of those that are kept, ⌊count/2⌋ or one more.
 */
export function halveBucket(
  count: number,
  kernel: () => PairKernel,
  limit: number,
  random: RandomStream,
): Uint32Array {
  const pairs = Math.ceil(count / 2), swapped = new Uint8Array(pairs);
  if (pairs > 1) decideSwaps(swapped, count, kernel(), limit, random);
  const coin = random.integer(2), kept: number[] = [];
  for (let i = 0; i < pairs; i++) {
    const place = 2 * i + (swapped[i] ^ coin);
    if (place < count) kept.push(place);
  }
  return Uint32Array.from(kept);
}

/** Kernels that {@link halveBucket} asks for of two different members. */
export function halvingProducts(count: number): number {
  return count > 2 ? count * (count - 1) / 2 : 0;
}

function decideSwaps(
  swapped: Uint8Array,
  count: number,
  kernel: PairKernel,
  limit: number,
  random: RandomStream,
): void {
  let largest = 0;
  for (let i = 0; i < swapped.length; i++) {
    const first = 2 * i, second = first + 1, single = second === count;
    let own = kernel.self(first), sum = 0;
    if (!single) own += kernel.self(second) - 2 * kernel.of(first, second);
    for (let j = 0; j < i; j++) {
      const before = 2 * j, after = before + 1;
      let difference = kernel.of(first, before) - kernel.of(first, after);
      if (!single) difference += kernel.of(second, after) - kernel.of(second, before);
      sum += swapped[j] ? -difference : difference;
    }
    const size = Math.sqrt(Math.max(0, own));
    largest = Math.max(largest, size);
    const draw = limit * (2 * random.uniform() - 1);
    // Where all that came before says nothing, as for equal keys, a coin does, even if the pair itself is no pair of two.
    if (i > 0) swapped[i] = Number(sum === 0 ? draw <= 0 : draw * size * largest <= sum);
  }
}
