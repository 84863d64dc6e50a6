import type { RandomStream } from "../../../../kernels/random.ts";
import { Turns } from "../../../../kernels/runtime.ts";
import { type BlockRows, type Walk, walkBlock, walkProducts } from "./walk_block.ts";

/** Keys that are left, with their weights, and kernels computed so far. */
export interface Balanced {
  readonly kept: Uint32Array;
  /** [kept] */
  readonly weights: Float64Array;
  readonly products: number;
}

/** How often keys are halved, and in what blocks. */
export interface Balancing extends Walk {
  readonly rounds: number;
  /** Keys of a block at most. */
  readonly block: number;
}

/** Rows of a head. */
export interface Rows {
  /** [keys, features] */
  readonly key: Float32Array;
  /** [keys, valueFeatures] */
  readonly value: Float32Array;
  readonly features: number;
  readonly valueFeatures: number;
  readonly scale: number;
}

/**
 * BalanceKV: in each round keys get signs, block by block, and of the sign that first comes to half of the keys those up to there are dropped; the
 * others up to there weigh twice as much, and all keys after it stay what they are. What is left is ordered by what it gained.
 */
export async function halveKeys(
  rows: Rows,
  keys: number,
  balancing: Balancing,
  random: RandomStream,
  signal?: AbortSignal,
): Promise<Balanced> {
  const turns = new Turns();
  let kept = Uint32Array.from({ length: keys }, (_, row) => row), products = 0;
  let weights = new Float64Array(keys).fill(1);
  for (let round = 0; round < balancing.rounds; round++) {
    const signs = new Int8Array(kept.length);
    for (const [first, end] of blocks(kept.length, balancing.block)) {
      await turns.take(signal);
      const block = blockRows(rows, kept.subarray(first, end), weights.subarray(first, end));
      signs.set(walkBlock(block, balancing, random), first);
      products += walkProducts(end - first);
    }
    const places = dropHalf(signs);
    weights = Float64Array.from(places, ({ place, factor }) => factor * weights[place]);
    kept = Uint32Array.from(places, ({ place }) => kept[place]);
  }
  return { kept, weights, products };
}

/** [0, count) in blocks of at most `size`, as equal as can be. */
export function* blocks(count: number, size: number): Generator<readonly [first: number, end: number]> {
  const number = Math.ceil(count / size);
  for (let block = 0; block < number; block++) {
    yield [Math.floor(block * count / number), Math.floor((block + 1) * count / number)];
  }
}

/** Places that stay, the doubled ones first. */
function dropHalf(signs: Int8Array): { place: number; factor: number }[] {
  const half = Math.floor(signs.length / 2), counts = { "-1": 0, "1": 0 }, reached = { "-1": -1, "1": -1 };
  signs.forEach((sign, place) => {
    const key = sign === 1 ? "1" : "-1";
    if (++counts[key] === half) reached[key] = place;
  });
  // Where both signs come to half of the keys, nothing is left after the later one.
  const end = Math.max(reached["-1"], reached["1"]), dropped = signs[end];
  const doubled: { place: number; factor: number }[] = [], others: { place: number; factor: number }[] = [];
  signs.forEach((sign, place) => {
    if (place > end) others.push({ place, factor: 1 });
    else if (sign !== dropped) doubled.push({ place, factor: 2 });
  });
  return [...doubled, ...others];
}

/** The rows of a block: keys less their mean, values times their weights. */
function blockRows(
  { key, value, features, valueFeatures, scale }: Rows,
  members: Uint32Array,
  weights: Float64Array,
): BlockRows {
  const count = members.length, mean = new Float64Array(features);
  const keys = new Float64Array(count * features), values = new Float64Array(count * valueFeatures);
  members.forEach((row, at) => {
    for (let c = 0; c < features; c++) {
      keys[at * features + c] = key[row * features + c];
      mean[c] += key[row * features + c] / count;
    }
    for (let c = 0; c < valueFeatures; c++) {
      values[at * valueFeatures + c] = weights[at] * value[row * valueFeatures + c];
    }
  });
  for (let at = 0; at < keys.length; at++) keys[at] -= mean[at % features];
  return { key: keys, value: values, count, scale: Math.abs(scale) };
}
