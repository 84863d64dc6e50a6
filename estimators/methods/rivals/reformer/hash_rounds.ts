import type { Backend } from "../../../../kernels/backend.ts";
import { blockStart } from "../../../../kernels/partition.ts";
import { deviceProducts, type HostRows } from "../shared/device_products.ts";
import { drawDirections } from "../shared/random_directions.ts";

/** How rows are hashed and cut. */
export interface RoundOptions {
  /** Rounds of hashing, each with directions of its own. */
  readonly rounds: number;
  /**
   * Random directions of each factor of the hash: a factor says to which of these, or of their opposites, a row is nearest, and the bucket
   * is all they say together.
   */
  readonly factors: readonly number[];
  /** Most rows of a chunk. */
  readonly chunkSize: number;
}

/** Rows in the order of their bucket, and of their place in it, cut into chunks of about equal size. */
export interface Round {
  /** [rows]: the row at each place. */
  readonly order: Uint32Array;
  /** [rows]: the chunk of each row. */
  readonly chunk: Uint32Array;
  /** [chunks + 1]: the first place of each chunk. */
  readonly starts: Uint32Array;
}

/** Hashes rows of so many columns in all rounds. */
export async function hashRounds(
  backend: Backend,
  rows: HostRows,
  width: number,
  { rounds, factors, chunkSize }: RoundOptions,
  seed: number,
  head: number,
  signal?: AbortSignal,
): Promise<Round[]> {
  const perRound = factors.reduce((sum, count) => sum + count, 0), count = rounds * perRound;
  const buckets = Array.from({ length: rounds }, () => new Uint32Array(rows.count));
  const directions = { data: drawDirections(seed, head, count, width), count };
  for await (const { first, products } of deviceProducts(backend, rows, directions, width, signal)) {
    for (let at = 0; at * count < products.length; at++) {
      for (let round = 0; round < rounds; round++) {
        let bucket = 0, from = at * count + round * perRound;
        for (const own of factors) {
          bucket = bucket * 2 * own + nearest(products.subarray(from, from + own));
          from += own;
        }
        buckets[round][first + at] = bucket;
      }
    }
  }
  const chunks = Math.ceil(rows.count / chunkSize);
  return buckets.map((bucket) => cutRound(bucket, chunks));
}

/** Which product is the largest, or, from their number on, which of their opposites is. */
function nearest(products: Float32Array): number {
  let best = 0;
  for (let at = 1; at < products.length; at++) {
    if (Math.abs(products[at]) > Math.abs(products[best])) best = at;
  }
  return products[best] < 0 ? products.length + best : best;
}

/** Rows sorted by their bucket, in their own order where that is equal, and cut. */
export function cutRound(bucket: Uint32Array, chunks: number): Round {
  const rows = bucket.length, chunk = new Uint32Array(rows);
  const order = Uint32Array.from(bucket.keys()).sort((a, b) => bucket[a] - bucket[b] || a - b);
  const starts = Uint32Array.from({ length: chunks + 1 }, (_, at) => blockStart(at, rows, chunks));
  for (let at = 0; at < chunks; at++) {
    for (let place = starts[at]; place < starts[at + 1]; place++) chunk[order[place]] = at;
  }
  return { order, chunk, starts };
}
