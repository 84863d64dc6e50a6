// deno-fmt-ignore-file: AssemblyScript
/** Twins of `kernels/partition.ts`. */

export function blockStart(block: u32, count: u32, blocks: u32): u32 {
  const base = count / blocks;
  return block * base + min<u32>(block, count % blocks);
}

export function blockOf(row: u32, count: u32, blocks: u32): u32 {
  const base = count / blocks, longer = count % blocks;
  const boundary = longer * (base + 1);
  return row < boundary ? row / (base + 1) : longer + (row - boundary) / base;
}
