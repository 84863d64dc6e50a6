import { blockStart } from "../../../../kernels/partition.ts";

/** Blocks that a query sees exactly: its own and those before and after it. */
const SEEN = 3;

/** The keys near each block of queries: both cut into as many blocks, in the order in which they come. */
export interface Windows {
  readonly blocks: number;
  /** [blocks, 4] words: first query, first beyond, first key, first beyond. */
  readonly positions: Uint32Array;
  readonly mostQueries: number;
  readonly mostKeys: number;
  /** Pairs of a query and a key that lie in windows. */
  readonly pairs: number;
}

/** Windows of blocks. */
export function windowsOf(queries: number, keys: number, blocks: number): Windows {
  const positions = new Uint32Array(4 * blocks);
  let pairs = 0, mostQueries = 0, mostKeys = 0;
  for (let block = 0; block < blocks; block++) {
    const [start, end] = [block, block + 1].map((at) => blockStart(at, queries, blocks));
    const first = blockStart(Math.max(0, block - 1), keys, blocks);
    const beyond = blockStart(Math.min(blocks, block + 2), keys, blocks);
    positions.set([start, end, first, beyond], 4 * block);
    pairs += (end - start) * (beyond - first);
    mostQueries = Math.max(mostQueries, end - start);
    mostKeys = Math.max(mostKeys, beyond - first);
  }
  return { blocks, positions, mostQueries, mostKeys, pairs };
}

/** The widest windows whose keys are no more than so many for each query, in the mean. */
export function windowsWithin(queries: number, keys: number, most: number): Windows {
  let blocks = Math.max(1, Math.min(keys, Math.floor(SEEN * keys / Math.max(1, most))));
  while (blocks < keys && windowsOf(queries, keys, blocks).pairs > most * queries) blocks++;
  return windowsOf(queries, keys, blocks);
}
