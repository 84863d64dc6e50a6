import type { RandomStream } from "../../kernels/random.ts";
import type { AttentionInput, InputFamily, InputOptions } from "./family.ts";
import { InputDraw, Stream } from "./input_draw.ts";

/** The numbers of the lemma; all of D, d, t and n of its statement follow from these. */
export interface HardInstanceParameters {
  /** d: length of the binary vectors, half of which are ones. */
  readonly bits: number;
  /** t: a query is near if some key has at most this Hamming distance. */
  readonly distance: number;
  /** Distances from (1 + epsilon)·t on are far. Balanced vectors differ in an even number of bits, so 2/t leaves no gap. */
  readonly epsilon: number;
}

/** Of accidental near keys of a query, at most this many are expected. */
const ACCIDENTS = 0.5;

/**
 * The parameters for n genuine keys: vectors of half the features, and the largest distance at which random vectors
 * are still expected to be far, where deciding is hardest.
 *
 * @throws {RangeError} If even the distance 2 is too common among n random vectors.
 */
export function hardInstanceParameters(n: number, features = 64): HardInstanceParameters {
  const half = Math.floor(features / 4), bits = 2 * half;
  // ln of binomial(2h, h), the number of balanced vectors.
  let logCount = 0;
  for (let i = 1; i <= half; i++) logCount += Math.log((half + i) / i);
  let logSwaps = 0, share = Math.exp(-logCount), distance = 0;
  for (let swaps = 1; swaps <= half; swaps++) {
    logSwaps += Math.log((half - swaps + 1) / swaps);
    share += Math.exp(2 * logSwaps - logCount);
    if (n * share > ACCIDENTS) break;
    distance = 2 * swaps;
  }
  if (distance === 0) {
    throw new RangeError(
      `Cannot generate hard-instance: features must allow distances that ${n} random vectors keep: ` +
        `current value is ${features}`,
    );
  }
  return { bits, distance, epsilon: 2 / distance };
}

/**
 * The explicit hard instance of Haverbeck et al. (2026), Lemma A.5, after Alman and Song (2023).
 *
 * Balanced a_i, b_j in {0,1}^d, ρ = √(D/2d), β = 12 d ln n/(εt), μ = ½ − (½ + ε/3)t/d; queries ρ√β·[a_i, 1], genuine keys
 * ρ√β·[b_j, −μ1], as many zero keys, all padded with zeros to D features, scale 1/D; values e₁ and 0. The logit of a
 * genuine pair at Hamming distance h is (3 ln n/(εt))·((1 + 2ε/3)t − h): at least 2 ln n if h <= t and at most −ln n if
 * h >= (1 + ε)t, so that the output is at least n/(n + 1) if one key is near and at most 1/(n + 1) if all are far.
 *
 * Half of the queries get a key at distance exactly t, at random places.
 */
export const hardInstance: InputFamily = {
  name: "hard-instance",
  description:
    "Nearest neighbours in Hamming space hidden among n genuine and n zero keys: output 1 says near and 0 far, so under " +
    "SETH nobody is sub-quadratic here, and the certificate must refuse the guarantee or the answer be exact.",
  generate(options: InputOptions): AttentionInput {
    const draw = new InputDraw("hard-instance", options);
    const { keys: n, queries, features, valueFeatures } = draw;
    const { bits, distance, epsilon } = hardInstanceParameters(n, features);
    const a = balancedVectors(draw.random(Stream.query), queries, bits);
    const b = balancedVectors(draw.random(Stream.key), n, bits);
    plantNeighbours(draw, a, b, bits, distance);

    const amplitude = Math.sqrt(features / (2 * bits) * 12 * bits * Math.log(n) / (epsilon * distance));
    const middle = 0.5 - (0.5 + epsilon / 3) * distance / bits;
    const places = draw.random(Stream.order).distinct(2 * n, 2 * n);
    const query = new Float32Array(queries * features), key = new Float32Array(2 * n * features);
    const value = new Float32Array(2 * n * valueFeatures);
    for (let i = 0; i < queries; i++) {
      for (let t = 0; t < bits; t++) {
        query[i * features + t] = amplitude * a[i * bits + t];
        query[i * features + bits + t] = amplitude;
      }
    }
    for (let j = 0; j < n; j++) {
      const row = places[j] * features;
      for (let t = 0; t < bits; t++) {
        key[row + t] = amplitude * b[j * bits + t];
        key[row + bits + t] = -middle * amplitude;
      }
      value[places[j] * valueFeatures] = 1;
    }
    return draw.input(query, key, value, 1 / features);
  },
};

/** Random rows of zeros and ones, as many of each. */
function balancedVectors(random: RandomStream, count: number, bits: number): Uint8Array {
  const vectors = new Uint8Array(count * bits);
  const positions = Array.from({ length: bits }, (_, t) => t);
  for (let i = 0; i < count; i++) {
    for (const t of pick(random, positions, bits / 2)) vectors[i * bits + t] = 1;
  }
  return vectors;
}

/** Gives every other query a key of its own at the distance: half as many ones moved to zeros. */
function plantNeighbours(
  draw: InputDraw,
  a: Uint8Array,
  b: Uint8Array,
  bits: number,
  distance: number,
): void {
  const random = draw.random(Stream.centres);
  const owners = random.distinct(draw.keys, draw.keys);
  for (let i = 0; i < Math.min(draw.queries, draw.keys); i += 2) {
    const neighbour = a.slice(i * bits, (i + 1) * bits);
    const ones: number[] = [], zeros: number[] = [];
    neighbour.forEach((bit, t) => (bit ? ones : zeros).push(t));
    for (const t of pick(random, ones, distance / 2)) neighbour[t] = 0;
    for (const t of pick(random, zeros, distance / 2)) neighbour[t] = 1;
    b.set(neighbour, owners[i] * bits);
  }
}

/** The first `count` of a partial Fisher–Yates shuffle in place. */
function pick(random: RandomStream, from: number[], count: number): number[] {
  for (let i = 0; i < count; i++) {
    const j = i + random.integer(from.length - i);
    [from[i], from[j]] = [from[j], from[i]];
  }
  return from.slice(0, count);
}
