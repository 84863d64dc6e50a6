// Softmax attention, each invocation with ROWS query rows and COLUMNS vec4 columns of the values in registers.
// For adapters emulated on the CPU, where loads limit: ROWS rows share every key and value that is loaded.
// Defined in front: ROWS, FEATURES (vec4s of a query or key row), COLUMNS.
// parameters.queries, keys, valueFeatures: shapes; valueColumns: vec4s of a value row; blocks: pairs of a query
// block and a key block; blockTiles: tiles of ROWS queries per block; tiles: tiles in all for one chunk of columns;
// chunks: chunks of COLUMNS columns; period, offset: causal rule; excludeBlocks: blocks of `keyBlocks`.

struct Parameters {
  queries: u32,
  keys: u32,
  valueFeatures: u32,
  valueColumns: u32,
  blocks: u32,
  blockTiles: u32,
  tiles: u32,
  chunks: u32,
  period: u32,
  offset: i32,
  excludeBlocks: u32,
  scale: f32,
}

override WEIGHTED: bool;
override CAUSAL: bool;
override EXCLUDING: bool;

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> query: array<vec4f>; // (heads, queries, 4 FEATURES) f32
@group(0) @binding(2) var<storage, read> key: array<vec4f>; // (heads, keys, 4 FEATURES) f32
@group(0) @binding(3) var<storage, read> value: array<vec4f>; // (heads, keys, 4 valueColumns) f32
@group(0) @binding(4) var<storage, read> logWeights: array<f32>; // (heads, keys) f32
@group(0) @binding(5) var<storage, read> keyBlocks: array<u32>; // (heads, keys) u32
@group(0) @binding(6) var<storage, read_write> output: array<f32>; // (heads, queries, valueFeatures) f32
@group(0) @binding(7) var<storage, read_write> logSumExp: array<f32>; // (heads, queries) f32

const MASKED = -1.0e38;
const EMPTY = -3.0e38;

fn blockStart(block: u32, count: u32, blocks: u32) -> u32 {
  return block * (count / blocks) + min(block, count % blocks);
}

fn blockOf(row: u32, count: u32, blocks: u32) -> u32 {
  let base = count / blocks;
  let longer = count % blocks;
  let boundary = longer * (base + 1u);
  return select(longer + (row - boundary) / max(base, 1u), row / (base + 1u), row < boundary);
}

// exp of differences from the running maximum; EMPTY minus a maximum must give 0, not overflow.
fn weigh(difference: vec4f) -> vec4f {
  return select(exp(difference), vec4f(0.0), difference < vec4f(-87.0));
}

@compute @workgroup_size(16)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 16u + local;
  let tile = at % parameters.tiles;
  let firstColumn = (at / parameters.tiles) * COLUMNS;
  if (at >= parameters.tiles * parameters.chunks) {
    return;
  }
  let blockIndex = tile / parameters.blockTiles;
  let head = blockIndex / parameters.blocks;
  let block = blockIndex % parameters.blocks;
  let firstRow = blockStart(block, parameters.queries, parameters.blocks) + (tile % parameters.blockTiles) * ROWS;
  let endRow = blockStart(block + 1u, parameters.queries, parameters.blocks);
  if (firstRow >= endRow) {
    return;
  }
  let firstKey = blockStart(block, parameters.keys, parameters.blocks);
  let endKey = blockStart(block + 1u, parameters.keys, parameters.blocks);

  var q: array<array<vec4f, FEATURES>, ROWS>;
  var sums: array<array<vec4f, COLUMNS>, ROWS>;
  var largest: array<f32, ROWS>;
  var total: array<f32, ROWS>;
  var visibleEnd: array<u32, ROWS>;
  var ownBlock: array<u32, ROWS>;
  var lastEnd = 0u;
  for (var r = 0u; r < ROWS; r++) {
    // Rows past the end of the block repeat its last row; they are not stored.
    let row = min(firstRow + r, endRow - 1u);
    for (var t = 0u; t < FEATURES; t++) {
      q[r][t] = query[(head * parameters.queries + row) * FEATURES + t] * parameters.scale;
    }
    largest[r] = EMPTY;
    visibleEnd[r] = endKey;
    if (CAUSAL) {
      visibleEnd[r] = min(endKey, u32(max(i32(row % parameters.period) + parameters.offset + 1, 0)));
    }
    if (EXCLUDING) {
      ownBlock[r] = blockOf(row, parameters.queries, parameters.excludeBlocks);
    }
    lastEnd = max(lastEnd, visibleEnd[r]);
  }

  // Four keys at a time, so that maxima and exponentials are vec4s.
  for (var j = firstKey; j < lastEnd; j += 4u) {
    let four = vec4u(j) + vec4u(0u, 1u, 2u, 3u);
    let rows = head * parameters.keys + min(four, vec4u(lastEnd - 1u));
    var logits = array<vec4f, ROWS>();
    if (WEIGHTED) {
      let added = vec4f(logWeights[rows.x], logWeights[rows.y], logWeights[rows.z], logWeights[rows.w]);
      for (var r = 0u; r < ROWS; r++) {
        logits[r] = added;
      }
    }
    let k = rows * FEATURES;
    for (var t = 0u; t < FEATURES; t++) {
      let k0 = key[k.x + t];
      let k1 = key[k.y + t];
      let k2 = key[k.z + t];
      let k3 = key[k.w + t];
      let x = vec4f(k0.x, k1.x, k2.x, k3.x);
      let y = vec4f(k0.y, k1.y, k2.y, k3.y);
      let z = vec4f(k0.z, k1.z, k2.z, k3.z);
      let w = vec4f(k0.w, k1.w, k2.w, k3.w);
      for (var r = 0u; r < ROWS; r++) {
        let own = q[r][t];
        logits[r] = fma(own.wwww, w, fma(own.zzzz, z, fma(own.yyyy, y, fma(own.xxxx, x, logits[r]))));
      }
    }
    var blocksOfKeys = vec4u(0u);
    if (EXCLUDING) {
      blocksOfKeys = vec4u(keyBlocks[rows.x], keyBlocks[rows.y], keyBlocks[rows.z], keyBlocks[rows.w]);
    }
    var newLargest: array<f32, ROWS>;
    var risen = false;
    for (var r = 0u; r < ROWS; r++) {
      var hidden = four >= vec4u(visibleEnd[r]);
      if (EXCLUDING) {
        hidden = hidden | (blocksOfKeys == vec4u(ownBlock[r]));
      }
      if (WEIGHTED) {
        hidden = hidden | (logits[r] <= vec4f(MASKED));
      }
      logits[r] = select(logits[r], vec4f(EMPTY), hidden);
      newLargest[r] = max(max(largest[r], max(logits[r].x, logits[r].y)), max(logits[r].z, logits[r].w));
      risen = risen || newLargest[r] > largest[r];
    }
    if (risen) {
      for (var r = 0u; r < ROWS; r++) {
        let shrink = weigh(vec4f(largest[r] - newLargest[r]));
        largest[r] = newLargest[r];
        total[r] *= shrink.x;
        for (var c = 0u; c < COLUMNS; c++) {
          sums[r][c] *= shrink;
        }
      }
    }
    for (var r = 0u; r < ROWS; r++) {
      // A row that has seen no key yet has the maximum EMPTY, and EMPTY - EMPTY would count.
      logits[r] = select(weigh(logits[r] - largest[r]), vec4f(0.0), logits[r] <= vec4f(MASKED));
      total[r] += (logits[r].x + logits[r].y) + (logits[r].z + logits[r].w);
    }
    let v = rows * parameters.valueColumns;
    for (var c = 0u; c < COLUMNS; c++) {
      let column = min(firstColumn + c, parameters.valueColumns - 1u);
      let v0 = value[v.x + column];
      let v1 = value[v.y + column];
      let v2 = value[v.z + column];
      let v3 = value[v.w + column];
      for (var r = 0u; r < ROWS; r++) {
        let weight = logits[r];
        sums[r][c] = fma(weight.wwww, v3, fma(weight.zzzz, v2, fma(weight.yyyy, v1, fma(weight.xxxx, v0, sums[r][c]))));
      }
    }
  }

  for (var r = 0u; r < ROWS; r++) {
    let row = head * parameters.queries + firstRow + r;
    if (firstRow + r < endRow) {
      let inverse = select(0.0, 1.0 / total[r], total[r] > 0.0);
      for (var c = 0u; c < COLUMNS; c++) {
        let mean = sums[r][c] * inverse;
        for (var part = 0u; part < 4u; part++) {
          let column = 4u * (firstColumn + c) + part;
          if (column < parameters.valueFeatures) {
            output[row * parameters.valueFeatures + column] = mean[part];
          }
        }
      }
      if (firstColumn == 0u) {
        logSumExp[row] = select(EMPTY, largest[r] + log(total[r]), total[r] > 0.0);
      }
    }
  }
}
