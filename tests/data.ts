import { Purpose, RandomStream } from "../kernels/random.ts";

/** `count` standard normal deviates times `scale`, the same for the same seed. */
export function normals(seed: number, count: number, scale = 1): Float32Array {
  const stream = new RandomStream(seed, Purpose.data);
  return Float32Array.from({ length: count }, () => scale * stream.normal());
}

/** `count` words below `bound`. */
export function wordsBelow(seed: number, count: number, bound: number): Uint32Array {
  const stream = new RandomStream(seed, Purpose.data);
  return Uint32Array.from({ length: count }, () => stream.integer(bound));
}

/** A permutation of [0, count) for each head, [heads, count]. */
export function permutations(seed: number, heads: number, count: number): Uint32Array {
  const permuted = new Uint32Array(heads * count);
  for (let head = 0; head < heads; head++) {
    permuted.set(new RandomStream(seed, Purpose.data, head).distinct(count, count), head * count);
  }
  return permuted;
}
