import type { RandomStream } from "../../../../kernels/random.ts";
import { halveBucket, halvingProducts } from "./halve_bucket.ts";
import { PairKernel, type ThinnedRows } from "./pair_kernel.ts";

/** How keys are thinned. */
export interface Thinning {
  /** How often they are halved. */
  readonly rounds: number;
  /** Keys of a bucket in the first round, even; each round has buckets twice as large. 2: coins alone decide, in all rounds. */
  readonly bucket: number;
  /** Chance that some bucket is balanced less well than is promised. */
  readonly delta: number;
}

/** Keys that are kept, and products of rows that it took to choose them. */
export interface Thinned {
  readonly kept: Uint32Array;
  readonly products: number;
}

/**
 * Halves keys again and again, in buckets of neighbours that get twice as large as they get half as many: KH-Compress of Carrell, Gong,
 * Shetty, Dwivedi and Mackey, "Low-Rank Thinning" (ICML 2025). Each key is kept at odds of 2^−rounds.
 *
 * @param keys Those to thin; any number of them.
 */
export function compressKeys(
  rows: ThinnedRows,
  keys: Uint32Array,
  { rounds, bucket, delta }: Thinning,
  random: RandomStream,
): Thinned {
  let kept = keys, size = bucket, products = bucket > 2 ? keys.length : 0;
  for (let round = 0; round < rounds; round++) {
    const share = delta * size / (bucket * rounds * keys.length), limit = 0.5 + Math.log(2 / share);
    const parts: Uint32Array[] = [];
    for (let first = 0; first < kept.length; first += size) {
      const members = kept.subarray(first, first + size);
      const places = halveBucket(members.length, () => new PairKernel(rows, members), limit, random);
      parts.push(places.map((place) => members[place]));
      products += halvingProducts(members.length);
    }
    kept = concatenate(parts);
    if (bucket > 2) size *= 2;
  }
  return { kept, products };
}

function concatenate(parts: readonly Uint32Array[]): Uint32Array {
  const whole = new Uint32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
