import { Purpose, seedWords } from "../../kernels/random.ts";

/** Philox blocks computed at a time. */
const BATCH = 1024;

/**
 * Fills with normal deviates: the words of `new RandomStream(seed, Purpose.data, stream)` in order, each pair
 * turned into two deviates (Box and Muller 1958). Workloads of millions of values need this to be several
 * times faster than a generator that is called once a value, hence the Philox rounds written out; a test
 * compares the words.
 *
 * @param deviation Standard deviation.
 */
export function normalValues(
  count: number,
  { seed, stream, deviation = 1 }: { seed: number; stream: number; deviation?: number },
): Float32Array {
  const values = new Float32Array(count), words = new Uint32Array(4 * BATCH);
  for (let at = 0, block = 0; at < count; block += BATCH) {
    philoxWords(words, seedWords(seed), block, stream);
    for (let w = 0; w < words.length && at < count; w += 2) {
      const radius = deviation * Math.sqrt(-2 * Math.log((words[w] + 0.5) / 2 ** 32));
      const angle = 2 * Math.PI * ((words[w + 1] + 0.5) / 2 ** 32);
      values[at++] = radius * Math.cos(angle);
      if (at < count) values[at++] = radius * Math.sin(angle);
    }
  }
  return values;
}

/** Philox4x32-10 at the counters (block + i, stream, Purpose.data, 1), in 32-bit integer arithmetic alone. */
export function philoxWords(
  words: Uint32Array,
  [key0, key1]: readonly [number, number],
  block: number,
  stream: number,
): void {
  for (let w = 0; w < words.length; w += 4) {
    let c0 = (block + w / 4) | 0, c1 = stream | 0, c2 = Purpose.data | 0, c3 = 1;
    let k0 = key0 | 0, k1 = key1 | 0;
    for (let round = 0; round < 10; round++) {
      // High halves of 0xd2511f53 · c0 and 0xcd9e8d57 · c2 from 16-bit parts, none of which overflows.
      const a = c0 & 0xffff, b = c0 >>> 16, c = c2 & 0xffff, d = c2 >>> 16;
      const s = (Math.imul(0xd251, a) + (Math.imul(0x1f53, a) >>> 16)) | 0;
      const t = (Math.imul(0xcd9e, c) + (Math.imul(0x8d57, c) >>> 16)) | 0;
      const high0 = (Math.imul(0xd251, b) + (s >>> 16) + (((s & 0xffff) + Math.imul(0x1f53, b)) >>> 16)) | 0;
      const high1 = (Math.imul(0xcd9e, d) + (t >>> 16) + (((t & 0xffff) + Math.imul(0x8d57, d)) >>> 16)) | 0;
      const low0 = Math.imul(0xd2511f53, c0), low1 = Math.imul(0xcd9e8d57, c2);
      c0 = high1 ^ c1 ^ k0;
      c1 = low1;
      c2 = high0 ^ c3 ^ k1;
      c3 = low0;
      k0 = (k0 + 0x9e3779b9) | 0;
      k1 = (k1 + 0xbb67ae85) | 0;
    }
    words[w] = c0;
    words[w + 1] = c1;
    words[w + 2] = c2;
    words[w + 3] = c3;
  }
}
