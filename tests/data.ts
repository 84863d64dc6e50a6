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
