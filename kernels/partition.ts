/**
 * An ordered set of `count` rows cut into `blocks` runs whose sizes differ by at most one, longer runs
 * first. Some runs are empty when there are fewer rows than blocks. The arithmetic stays below 2^32 for
 * every size, so that the WASM and WGSL twins can use 32-bit integers.
 */

/** First row of a block; `blockStart(blocks, …)` is `count`. */
export function blockStart(block: number, count: number, blocks: number): number {
  const base = Math.floor(count / blocks);
  return block * base + Math.min(block, count % blocks);
}

/** The block that holds a row. */
export function blockOf(row: number, count: number, blocks: number): number {
  const base = Math.floor(count / blocks), longer = count % blocks;
  const boundary = longer * (base + 1);
  return row < boundary ? Math.floor(row / (base + 1)) : longer + Math.floor((row - boundary) / base);
}
