// What both attention kernels share; put between elementary.wgsl with stored_floats.wgsl or stored_halves.wgsl, and them.
// Defined in front, beside what each says: CHAIN, vec4s of features whose products are summed in one chain; STRETCH, keys
// whose weighted values are; TOTALS, stretches whose totals of weights are. Chains are added in turn, so that rounding grows
// with the lengths of chains and not with the number of keys.
// parameters.queries, keys: shapes; valueColumns: vec4s of a value row; blocks: pairs of a query
// block and a key block; blockTiles: query tiles per block; tiles: query tiles in all for one chunk of columns;
// chunks: chunks of COLUMNS vec4 columns of the values; period, offset: causal rule; excludeBlocks: blocks of the
// excluding rule; samples: sampled keys per head; keyOrderAt, keyBlocksAt, samplesAt: where `index` holds what,
// see attend_index.wgsl, and boundsAt the bounds of blocks; firstOfBlock: where in each block this dispatch begins; splits,
// mostKeys: how many workgroups share its keys, and how many each takes; rows: of the results, heads and queries; resumes,
// pauses: 1 where a dispatch has gone before that took the keys in front of them, and where one follows that takes the next;
// firstWorkgroup: where this dispatch begins, of several that share the work; queryScale: factor on
// the queries, a power of two; scale: factor on their inner products, or on the squared distances; unit: factor on the values.
// A query sees the keys j of its block, below blockEnd; j = blockEnd + s stands for the head's sampled key s.

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
  samples: u32,
  keyOrderAt: u32,
  keyBlocksAt: u32,
  boundsAt: u32,
  samplesAt: u32,
  firstOfBlock: u32,
  splits: u32,
  mostKeys: u32,
  rows: u32,
  resumes: u32,
  pauses: u32,
  queryScale: f32,
  scale: f32,
  unit: f32,
  firstWorkgroup: u32,
}

// Which rules apply.
override WEIGHTED: bool;
override CAUSAL: bool;
override EXCLUDING: bool;
override QUERY_ORDERED: bool;
override KEY_ORDERED: bool;
override SAMPLED: bool;
override BOUNDED: bool;
// Whether one of several dispatches; apart, since code that moves all sums takes long to compile.
override IN_PARTS: bool;
// Whether logits are squared distances in place of inner products.
override DISTANCES: bool;

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> query: array<vec4f>; // (heads, queries, 4 FEATURES) f32
@group(0) @binding(2) var<storage, read> key: array<Stored>; // (heads, keys, 4 FEATURES) f32 or f16
@group(0) @binding(3) var<storage, read> value: array<Stored>; // (heads, keys, 4 valueColumns) f32 or f16
@group(0) @binding(4) var<storage, read> logWeights: array<f32>; // (heads, keys) f32
@group(0) @binding(5) var<storage, read> index: array<u32>; // as attend_index.wgsl leaves it
@group(0) @binding(6) var<storage, read_write> output: array<vec4f>; // (heads, queries, 4 valueColumns) f32
@group(0) @binding(7) var<storage, read_write> logSumExp: array<f32>; // (heads, queries) f32
// What a dispatch that pauses leaves, or a split: the largest logit and the total of weights; then, in parts, sums for which
// the output has no room.
@group(0) @binding(8) var<storage, read_write> paused: array<vec4f>; // (splits, heads, queries, chunks, 1 or 1 + COLUMNS, 4) f32

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

// First and end of the positions of a block's queries, and of its keys j, those sampled apart.
fn boundsOf(head: u32, block: u32) -> vec4u {
  if (BOUNDED) {
    let at = parameters.boundsAt + 4u * (head * parameters.blocks + block);
    return vec4u(index[at], index[at + 1u], index[at + 2u], index[at + 3u]);
  }
  return vec4u(
    blockStart(block, parameters.queries, parameters.blocks),
    blockStart(block + 1u, parameters.queries, parameters.blocks),
    blockStart(block, parameters.keys, parameters.blocks),
    blockStart(block + 1u, parameters.keys, parameters.blocks),
  );
}

// The keys j that a split of this dispatch shows to a block with these keys: the first and the end.
fn keyRange(keys: vec2u, split: u32) -> vec2u {
  let end = keys.y + parameters.samples;
  let first = min(end, keys.x + parameters.firstOfBlock + split * parameters.mostKeys);
  return vec2u(first, min(end, first + parameters.mostKeys));
}

// End of the keys that a row may see, were there no other rule.
fn causalEnd(row: u32) -> u32 {
  return u32(max(i32(row % parameters.period) + parameters.offset + 1, 0));
}

// The row of `query` and of the results that stands at a position of a head.
fn queryRow(head: u32, position: u32) -> u32 {
  if (QUERY_ORDERED) {
    return head * parameters.queries + index[head * parameters.queries + position];
  }
  return head * parameters.queries + position;
}

// Where `index` describes the sampled key j.
fn sampleAt(head: u32, j: u32, blockEnd: u32) -> u32 {
  return parameters.samplesAt + 3u * (head * parameters.samples + j - blockEnd);
}

// The row of `key` and `value` that holds key j of a head.
fn keyRow(head: u32, j: u32, blockEnd: u32) -> u32 {
  if (SAMPLED && j >= blockEnd) {
    return head * parameters.keys + index[sampleAt(head, j, blockEnd)];
  }
  if (KEY_ORDERED) {
    return head * parameters.keys + index[parameters.keyOrderAt + head * parameters.keys + j];
  }
  return head * parameters.keys + j;
}

// What is added to the logits of key j for the queries of a block; EMPTY hides a sampled key of their own block.
fn addedWeight(head: u32, j: u32, blockEnd: u32, block: u32) -> f32 {
  if (SAMPLED && j >= blockEnd) {
    let at = sampleAt(head, j, blockEnd);
    return select(bitcast<f32>(index[at + 2u]), EMPTY, index[at + 1u] == block);
  }
  if (WEIGHTED) {
    return logWeights[head * parameters.keys + j];
  }
  return 0.0;
}

fn keyBlockOf(head: u32, j: u32) -> u32 {
  return index[parameters.keyBlocksAt + head * parameters.keys + j];
}

// Where `paused` holds what belongs to a row of the results and a chunk of columns.
fn pausedAt(row: u32, chunk: u32) -> u32 {
  return (row * parameters.chunks + chunk) * select(1u, 1u + COLUMNS, IN_PARTS);
}

// exp(logit - largest). Hidden logits are EMPTY, and so is the maximum before the first visible key, so that their
// difference may be anything; below exp(-87) a weight is lost against the weight 1 of the largest logit.
fn weigh(logit: f32, largest: f32) -> f32 {
  let difference = logit - largest;
  return select(exponential(max(difference, -87.0)), 0.0, (logit <= MASKED) | (difference < -87.0));
}

// The same of four logits.
fn weighFour(logits: vec4f, largest: f32) -> vec4f {
  let differences = logits - largest;
  let hidden = (logits <= vec4f(MASKED)) | (differences < vec4f(-87.0));
  return select(exponentials(max(differences, vec4f(-87.0))), vec4f(0.0), hidden);
}
