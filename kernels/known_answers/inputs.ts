import type { Backend, DeviceArray } from "../backend.ts";

/** Numbers for known answers: the same every time, and quicker to make than those of the generator that results rest on. */
export class Inputs {
  readonly #backend: Backend;
  #word = 2302;

  /** Uploads to a backend. */
  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** The next 32 bits of a linear congruential generator (Knuth 1981; constants of Numerical Recipes). */
  #next(): number {
    this.#word = (Math.imul(this.#word, 1664525) + 1013904223) >>> 0;
    return this.#word;
  }

  /** An integer in [0, bound). */
  integer(bound: number): number {
    return Math.floor((this.#next() / 2 ** 32) * bound);
  }

  /** Values between −1 and 1. */
  values(length: number): Float32Array {
    return Float32Array.from({ length }, () => this.#next() / 2 ** 31 - 1);
  }

  /** Rows of `count` positive values that sum to one. */
  distributions(rows: number, count: number): Float32Array {
    const values = this.values(rows * count).map((x) => (1.1 + x) ** 3);
    for (let row = 0; row < rows; row++) {
      const own = values.subarray(row * count, (row + 1) * count), sum = own.reduce((a, b) => a + b, 0);
      own.forEach((x, at) => own[at] = x / sum);
    }
    return values;
  }

  /** Uploads values. */
  upload(data: Float32Array | Uint32Array): DeviceArray {
    return this.#backend.upload(data);
  }

  /** Values between −1 and 1, on the device. */
  floats(length: number): DeviceArray {
    return this.upload(this.values(length));
  }

  /** Values above 0, on the device. */
  positive(length: number): DeviceArray {
    return this.upload(this.values(length).map((x) => 1.1 + x));
  }

  /** Words below a bound, on the device. */
  words(length: number, bound: number): DeviceArray {
    return this.upload(Uint32Array.from({ length }, () => this.integer(bound)));
  }

  /** A permutation of [0, count) for each head. */
  permutations(heads: number, count: number): Uint32Array {
    const all = new Uint32Array(heads * count);
    for (let head = 0; head < heads; head++) {
      const own = all.subarray(head * count, (head + 1) * count).map((_, at) => at);
      for (let at = count - 1; at > 0; at--) {
        const other = this.integer(at + 1), row = own[at];
        own[at] = own[other];
        own[other] = row;
      }
      all.set(own, head * count);
    }
    return all;
  }

  /** The inverses of permutations. */
  inverses(permutations: Uint32Array, heads: number, count: number): Uint32Array {
    const inverses = new Uint32Array(heads * count);
    permutations.forEach((row, at) => inverses[at - at % count + row] = at % count);
    return inverses;
  }
}
