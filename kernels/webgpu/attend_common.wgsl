// What both attention kernels share; put between elementary.wgsl and them.
// parameters.queries, keys: shapes; valueColumns: vec4s of a value row; blocks: pairs of a query
// block and a key block; blockTiles: query tiles per block; tiles: query tiles in all for one chunk of columns;
// chunks: chunks of COLUMNS vec4 columns of the values; period, offset: causal rule; excludeBlocks: blocks of
// `keyBlocks`; keyCount: rows per head of `key` and `value` where they are picked; scale: factor on the inner products.

struct Parameters {
  queries: u32,
  keys: u32,
  valueColumns: u32,
  blocks: u32,
  blockTiles: u32,
  tiles: u32,
  chunks: u32,
  period: u32,
  offset: i32,
  excludeBlocks: u32,
  keyCount: u32,
  scale: f32,
}

override WEIGHTED: bool;
override CAUSAL: bool;
override EXCLUDING: bool;
// Whether key j is row keyIndex[j] of `key` and `value`, rather than row j.
override PICKED: bool;

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> query: array<vec4f>; // (heads, queries, 4 FEATURES) f32
@group(0) @binding(2) var<storage, read> key: array<vec4f>; // (heads, keys, 4 FEATURES) f32
@group(0) @binding(3) var<storage, read> value: array<vec4f>; // (heads, keys, 4 valueColumns) f32
@group(0) @binding(4) var<storage, read> logWeights: array<f32>; // (heads, keys) f32
@group(0) @binding(5) var<storage, read> keyBlocks: array<u32>; // (heads, keys) u32
@group(0) @binding(6) var<storage, read> keyIndex: array<u32>; // (heads, keys) u32
@group(0) @binding(7) var<storage, read_write> output: array<vec4f>; // (heads, queries, 4 valueColumns) f32
@group(0) @binding(8) var<storage, read_write> logSumExp: array<f32>; // (heads, queries) f32

const MASKED = -1.0e38;
const EMPTY = -3.0e38;

fn blockStart(block: u32, count: u32, blocks: u32) -> u32 {
  return block * (count / blocks) + min(block, count % blocks);
}

fn blockOf(row: u32, count: u32, blocks: u32) -> u32 {
  let base = count / blocks;
  let longer = count % blocks;
  let boundary = longer * (base + 1u);
  // base is 0 only where every row lies below the boundary.
  return select(longer + (row - boundary) / max(base, 1u), row / (base + 1u), row < boundary);
}

// End of the keys that a row may see, were there no other rule.
fn causalEnd(row: u32) -> u32 {
  return u32(max(i32(row % parameters.period) + parameters.offset + 1, 0));
}

// The row of `key` and `value` that holds key j of a head.
fn keyRow(head: u32, j: u32) -> u32 {
  if (PICKED) {
    return head * parameters.keyCount + keyIndex[head * parameters.keys + j];
  }
  return head * parameters.keys + j;
}

// exp(logit - largest). Hidden logits are EMPTY, and so is the maximum before the first visible key, so that their
// difference may be anything; below exp(-87) a weight is lost against the weight 1 of the largest logit.
fn weigh(logit: f32, largest: f32) -> f32 {
  let difference = logit - largest;
  return select(exponential(max(difference, -87.0)), 0.0, logit <= MASKED || difference < -87.0);
}
