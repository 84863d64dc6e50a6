// deno-fmt-ignore-file: AssemblyScript
@unmanaged
class PairArguments {
  queryRanks: usize;
  queryOrder: usize;
  keyRanks: usize;
  keyOrder: usize;
  /** [heads, blocks, 4] words. */
  positions: usize;
  queries: u32;
  keys: u32;
  buckets: u32;
  mostQueries: u32;
  mostKeys: u32;
}

/** The blocks of one head. */
export function pairBucketsTask(operation: usize, head: u32): void {
  const args = changetype<PairArguments>(operation);
  const queries = args.queries, keys = args.keys, buckets = args.buckets;
  const queryBytes = (<usize>head * queries) << 2, keyBytes = (<usize>head * keys) << 2;
  const blocks = (queries + args.mostQueries - 1) / args.mostQueries + buckets;
  const positions = args.positions + ((<usize>head * blocks) << 4);
  memory.fill(positions, 0, <usize>blocks << 4);
  let query: u32 = 0, key: u32 = 0, to = positions;
  for (let bucket: u32 = 0; bucket < buckets; ++bucket) {
    const queryEnd = endOf(args.queryRanks + queryBytes, args.queryOrder + queryBytes, query, queries, bucket);
    const keyEnd = endOf(args.keyRanks + keyBytes, args.keyOrder + keyBytes, key, keys, bucket);
    const shown = min<u32>(args.mostKeys, keyEnd - key), first = min<u32>(keys - 1, key + (keyEnd - key - shown) / 2);
    for (; query < queryEnd; query += args.mostQueries) {
      store<u32>(to, query);
      store<u32>(to, min<u32>(queryEnd, query + args.mostQueries), 4);
      store<u32>(to, first, 8);
      store<u32>(to, first + max<u32>(1, shown), 12);
      to += 16;
    }
    query = queryEnd;
    key = keyEnd;
  }
}

/** The end of a bucket of which `from` is the first position, or the position after it. */
function endOf(ranks: usize, order: usize, from: u32, count: u32, bucket: u32): u32 {
  while (from < count && load<u32>(ranks + (<usize>load<u32>(order + (<usize>from << 2)) << 2)) === bucket) ++from;
  return from;
}
