// Blocks of queries and keys of the same bucket: see `Backend.pairBuckets`. Behind reductions.wgsl.
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
// (heads, buckets + 1, 4) u32: first query, key and block of each bucket, and the ends of the last.
@group(0) @binding(6) var<storage, read_write> firsts: array<vec4u>;

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

@compute @workgroup_size(64)
fn findBuckets(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let head = at / (parameters.buckets + 1u);
  if (head >= parameters.heads) {
    return;
  }
  let bucket = at % (parameters.buckets + 1u);
  firsts[at] = vec4u(rowsBelow(false, head, bucket), rowsBelow(true, head, bucket), 0u, 0u);
}

// First blocks of the buckets of a head, which one workgroup cuts into runs.
@compute @workgroup_size(LANES)
fn countBlocks(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let head = workgroup.x + workgroup.y * workgroups.x;
  if (head >= parameters.heads) {
    return;
  }
  let run = (parameters.buckets + LANES) / LANES;
  let begin = head * (parameters.buckets + 1u);
  let start = min(local * run, parameters.buckets + 1u);
  let end = min((local + 1u) * run, parameters.buckets + 1u);
  var total = 0u;
  for (var bucket = start; bucket < end; bucket++) {
    total += blocksOf(begin, bucket);
  }
  var running = sumBelow(total, local);
  for (var bucket = start; bucket < end; bucket++) {
    firsts[begin + bucket].z = running;
    running += blocksOf(begin, bucket);
  }
}

fn blocksOf(begin: u32, bucket: u32) -> u32 {
  let next = min(bucket + 1u, parameters.buckets);
  let queries = firsts[begin + next].x - firsts[begin + bucket].x;
  return (queries + parameters.mostQueries - 1u) / parameters.mostQueries;
}

@compute @workgroup_size(64)
fn placeBlocks(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let head = at / parameters.blocks;
  if (head >= parameters.heads) {
    return;
  }
  let block = at % parameters.blocks;
  // The last bucket that begins at or before the block.
  let begin = head * (parameters.buckets + 1u);
  var low = 0u;
  var beyond = parameters.buckets + 1u;
  while (beyond - low > 1u) {
    let middle = (low + beyond) / 2u;
    let isBefore = firsts[begin + middle].z <= block;
    low = select(low, middle, isBefore);
    beyond = select(middle, beyond, isBefore);
  }
  if (low == parameters.buckets) {
    positions[at] = vec4u(0u);
    return;
  }
  let own = firsts[begin + low];
  let next = firsts[begin + low + 1u];
  let query = own.x + (block - own.z) * parameters.mostQueries;
  let shown = min(parameters.mostKeys, next.y - own.y);
  let first = min(parameters.keys - 1u, own.y + (next.y - own.y - shown) / 2u);
  positions[at] = vec4u(query, min(next.x, query + parameters.mostQueries), first, first + max(1u, shown));
}
