// Blocks of queries and keys of the same bucket, each found by itself: see `Backend.pairBuckets`.
// parameters.heads, queries, keys, buckets: shapes; blocks: of each head; mostQueries, mostKeys: of a block.

struct Parameters {
  heads: u32,
  queries: u32,
  keys: u32,
  buckets: u32,
  blocks: u32,
  mostQueries: u32,
  mostKeys: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> queryRanks: array<u32>; // (heads, queries) u32
@group(0) @binding(2) var<storage, read> queryOrder: array<u32>; // (heads, queries) u32
@group(0) @binding(3) var<storage, read> keyRanks: array<u32>; // (heads, keys) u32
@group(0) @binding(4) var<storage, read> keyOrder: array<u32>; // (heads, keys) u32
@group(0) @binding(5) var<storage, read_write> positions: array<vec4u>; // (heads, blocks, 4) u32

// Bucket of the row at a position of a head's order.
fn bucketAt(ofKeys: bool, head: u32, position: u32) -> u32 {
  if (ofKeys) {
    let first = head * parameters.keys;
    return keyRanks[first + keyOrder[first + position]];
  }
  let first = head * parameters.queries;
  return queryRanks[first + queryOrder[first + position]];
}

// How many of a head's queries, or of its keys, are in lower buckets than `bucket`.
fn rowsBelow(ofKeys: bool, head: u32, bucket: u32) -> u32 {
  var low = 0u;
  var high = select(parameters.queries, parameters.keys, ofKeys);
  while (low < high) {
    let middle = (low + high) / 2u;
    let isBelow = bucketAt(ofKeys, head, middle) < bucket;
    low = select(low, middle + 1u, isBelow);
    high = select(middle, high, isBelow);
  }
  return low;
}

// Number of the first block of a bucket.
fn blockOf(head: u32, bucket: u32) -> u32 {
  return rowsBelow(false, head, bucket) / parameters.mostQueries + bucket;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  if (at >= parameters.heads * parameters.blocks) {
    return;
  }
  let head = at / parameters.blocks;
  let block = at % parameters.blocks;
  // The last bucket that begins at or before the block.
  var bucket = 0u;
  var beyond = parameters.buckets;
  while (beyond - bucket > 1u) {
    let middle = (bucket + beyond) / 2u;
    let isBefore = blockOf(head, middle) <= block;
    bucket = select(bucket, middle, isBefore);
    beyond = select(middle, beyond, isBefore);
  }
  let queryEnd = rowsBelow(false, head, bucket + 1u);
  let query = rowsBelow(false, head, bucket) + (block - blockOf(head, bucket)) * parameters.mostQueries;
  if (query >= queryEnd) {
    positions[at] = vec4u(0u);
    return;
  }
  let key = rowsBelow(true, head, bucket);
  let present = rowsBelow(true, head, bucket + 1u) - key;
  let shown = min(parameters.mostKeys, present);
  let first = min(parameters.keys - 1u, key + (present - shown) / 2u);
  positions[at] = vec4u(query, min(queryEnd, query + parameters.mostQueries), first, first + max(1u, shown));
}
