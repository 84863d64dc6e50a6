/**
 * Counter-based random numbers: Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers:
 * as easy as 1, 2, 3" (SC 2011). A number is a pure function of (seed, purpose, stream, index), so every
 * backend and every thread draws the same bits in any order. Twins: `wasm/assembly/random.ts`,
 * `webgpu/operations/random.wgsl`.
 */

import type { Purpose } from "./purposes.ts";

export { Purpose } from "./purposes.ts";

/** A seed split into the two 32-bit words that Philox takes as its key. */
export type SeedWords = readonly [low: number, high: number];

/** Splits a seed, an integer in [0, 2^53), into two 32-bit words. */
export function seedWords(seed: number): SeedWords {
  return [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
}

/** High 32 bits of the 64-bit product of two 32-bit words. */
export function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff, aHigh = a >>> 16, bLow = b & 0xffff, bHigh = b >>> 16;
  // No sum reaches 2^32, so shifts take the halves; remainders of floats take six times as long.
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const cross = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + (middle >>> 16) + (cross >>> 16)) >>> 0;
}

/** The four 32-bit words of one Philox4x32-10 block. */
export function philox(
  key: SeedWords,
  counter: readonly [number, number, number, number],
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0), low0 = Math.imul(0xd2511f53, c0) >>> 0;
    const high1 = multiplyHigh(0xcd9e8d57, c2), low1 = Math.imul(0xcd9e8d57, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** The 32 random bits at `index` of a stream: word 0 of the block at counter (index, stream, purpose, 0). */
export function randomWord(seed: SeedWords, purpose: Purpose, stream: number, index: number): number {
  return philox(seed, [index >>> 0, stream >>> 0, purpose >>> 0, 0])[0];
}

/** A sequential reader of one stream, for host code that wants uniform and normal deviates. */
export class RandomStream {
  readonly #seed: SeedWords;
  readonly #purpose: Purpose;
  readonly #stream: number;
  #block = 0;
  #words: number[] = [];
  /** The second deviate of the last pair, or NaN. */
  #spare = NaN;

  constructor(seed: number, purpose: Purpose, stream = 0) {
    this.#seed = seedWords(seed);
    this.#purpose = purpose;
    this.#stream = stream;
  }

  /** The next 32 random bits. */
  word(): number {
    if (this.#words.length === 0) {
      this.#words = philox(this.#seed, [this.#block++, this.#stream, this.#purpose, 1]).reverse();
    }
    return this.#words.pop()!;
  }

  /** A uniform deviate in (0, 1), never 0 nor 1. */
  uniform(): number {
    return (this.word() + 0.5) / 2 ** 32;
  }

  /** A uniform integer in [0, bound), bound <= 2^32. */
  integer(bound: number): number {
    return Math.floor((this.word() * bound) / 2 ** 32);
  }

  /** A standard normal deviate; they come in pairs (Box and Muller 1958). */
  normal(): number {
    const spare = this.#spare;
    if (!Number.isNaN(spare)) {
      this.#spare = NaN;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(this.uniform())), angle = 2 * Math.PI * this.uniform();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** `count` distinct integers of [0, bound) in random order (partial Fisher–Yates on a sparse array). */
  distinct(count: number, bound: number): Uint32Array {
    const moved = new Map<number, number>();
    return Uint32Array.from({ length: count }, (_, i) => {
      const j = i + this.integer(bound - i);
      const picked = moved.get(j) ?? j;
      moved.set(j, moved.get(i) ?? i);
      return picked;
    });
  }
}
