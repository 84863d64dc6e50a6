// Attention of few queries that keeps their probabilities, on GPUs: chunks of the keys first, then all of them. Behind
// elementary.wgsl and reductions.wgsl.
// parameters.heads, queries, keys: shapes; scale: factor on the inner products; columns, valueColumns: vec4s of a query or key and of
// a value row; tiles: tiles of QUERIES queries of a head; chunks: chunks of KEYS keys of a head.
// Defined in front: QUERIES; KEYS = 64 invocations; QUARTER of these; CHAIN, vec4s of features whose products are summed in one
// chain, and that a lane loads at a time; SLICE, a few CHAINS, those of queries in workgroup memory; COPIES, what each lane copies of
// them; ACROSS, columns beside one another, and SHARE, queries of a lane that takes one; AHEAD, values that a lane loads at a time.

struct Parameters {
  heads: u32,
  queries: u32,
  keys: u32,
  columns: u32,
  valueColumns: u32,
  tiles: u32,
  chunks: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> query: array<vec4f>; // (heads, queries, 4 columns) f32
@group(0) @binding(2) var<storage, read> key: array<vec4f>; // (heads, keys, 4 columns) f32
@group(0) @binding(3) var<storage, read> value: array<vec4f>; // (heads, keys, 4 valueColumns) f32
@group(0) @binding(4) var<storage, read_write> probabilities: array<f32>; // (heads, queries, keys) f32, first the logits
@group(0) @binding(5) var<storage, read_write> stats: array<vec2f>; // (heads, chunks, queries): largest logit, total of weights
@group(0) @binding(6) var<storage, read_write> partial: array<vec4f>; // (heads, chunks, queries, 4 valueColumns) f32
@group(0) @binding(7) var<storage, read_write> output: array<vec4f>; // (heads, queries, 4 valueColumns) f32
@group(0) @binding(8) var<storage, read_write> logSumExp: array<f32>; // (heads, queries) f32

var<workgroup> slice: array<vec4f, QUERIES * SLICE>;
// Logits, then weights, of the keys of the chunk.
var<workgroup> weights: array<array<f32, KEYS>, QUERIES>;
// Of a query and each fourth key: the largest logit, then the total of weights.
var<workgroup> ofQuarters: array<f32, KEYS>;
var<workgroup> largestOf: array<f32, QUERIES>;
var<workgroup> joined: array<vec4f, LANES>;

@compute @workgroup_size(KEYS)
fn chunkOutputs(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = workgroup.x + workgroup.y * workgroups.x;
  let chunk = at % parameters.chunks;
  let firstQuery = QUERIES * (at / parameters.chunks % parameters.tiles);
  let head = at / parameters.chunks / parameters.tiles;
  if (head >= parameters.heads) {
    return;
  }
  let columns = parameters.columns;
  let firstKey = chunk * KEYS;
  let isThere = firstKey + local < parameters.keys;
  // Queries, keys and columns past the end repeat the last one and are not stored.
  let lastQuery = parameters.queries - 1u;
  let lastKey = parameters.keys - 1u;
  let ownKey = (head * parameters.keys + min(firstKey + local, lastKey)) * columns;
  var logits: array<f32, QUERIES>;
  for (var i = 0u; i < QUERIES; i++) {
    logits[i] = 0.0;
  }
  for (var first = 0u; first < columns; first += SLICE) {
    for (var copy = 0u; copy < COPIES; copy++) {
      let place = copy * KEYS + local;
      let t = first + place % SLICE;
      let row = head * parameters.queries + min(firstQuery + place / SLICE, lastQuery);
      // Features past the end count 0.
      let own = select(0.0, 1.0, t < columns) * query[row * columns + min(t, columns - 1u)];
      if (place < QUERIES * SLICE) {
        slice[place] = own;
      }
    }
    workgroupBarrier();
    for (var part = 0u; part < CHAINS; part++) {
      var own: array<vec4f, CHAIN>;
      var chain: array<f32, QUERIES>;
      for (var step = 0u; step < CHAIN; step++) {
        own[step] = key[ownKey + min(first + part * CHAIN + step, columns - 1u)];
      }
      for (var i = 0u; i < QUERIES; i++) {
        chain[i] = 0.0;
      }
      for (var step = 0u; step < CHAIN; step++) {
        for (var i = 0u; i < QUERIES; i++) {
          let q = slice[i * SLICE + part * CHAIN + step];
          chain[i] = fma(q.x, own[step].x, chain[i]);
          chain[i] = fma(q.y, own[step].y, chain[i]);
          chain[i] = fma(q.z, own[step].z, chain[i]);
          chain[i] = fma(q.w, own[step].w, chain[i]);
        }
      }
      for (var i = 0u; i < QUERIES; i++) {
        logits[i] += chain[i];
      }
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < QUERIES; i++) {
    logits[i] *= parameters.scale;
    weights[i][local] = select(EMPTY, logits[i], isThere);
    if (isThere && firstQuery + i < parameters.queries) {
      probabilities[(head * parameters.queries + firstQuery + i) * parameters.keys + firstKey + local] = logits[i];
    }
  }
  workgroupBarrier();

  // Four lanes find the largest logit of a query, and later the total of its weights.
  let ownQuery = local / 4u;
  let row = min(ownQuery, QUERIES - 1u);
  var most = EMPTY;
  for (var k = 0u; k < QUARTER; k++) {
    most = max(most, weights[row][4u * k + local % 4u]);
  }
  ofQuarters[local] = most;
  workgroupBarrier();
  let four = 4u * row;
  most = max(
    max(ofQuarters[four], ofQuarters[four + 1u]),
    max(ofQuarters[four + 2u], ofQuarters[four + 3u]),
  );
  if (local % 4u == 0u && ownQuery < QUERIES) {
    largestOf[ownQuery] = most;
  }
  workgroupBarrier();
  for (var i = 0u; i < QUERIES; i++) {
    weights[i][local] = select(0.0, exponential(max(logits[i] - largestOf[i], -87.0)), isThere);
  }
  workgroupBarrier();
  var total = 0.0;
  for (var k = 0u; k < QUARTER; k++) {
    total += weights[row][4u * k + local % 4u];
  }
  ofQuarters[local] = total;
  workgroupBarrier();
  let place = (head * parameters.chunks + chunk) * parameters.queries + firstQuery;
  if (local % 4u == 0u && ownQuery < QUERIES && firstQuery + ownQuery < parameters.queries) {
    total = (ofQuarters[four] + ofQuarters[four + 1u]) + (ofQuarters[four + 2u] + ofQuarters[four + 3u]);
    stats[place + ownQuery] = vec2f(most, total);
  }

  // SHARE queries in a column of the values.
  let valueColumns = parameters.valueColumns;
  let firstShared = local / ACROSS * SHARE;
  for (var firstColumn = 0u; firstColumn < valueColumns; firstColumn += ACROSS) {
    let column = firstColumn + local % ACROSS;
    var sums: array<vec4f, SHARE>;
    for (var i = 0u; i < SHARE; i++) {
      sums[i] = vec4f(0.0);
    }
    for (var next = 0u; next < min(KEYS, parameters.keys - firstKey); next += AHEAD) {
      var ahead: array<vec4f, AHEAD>;
      for (var step = 0u; step < AHEAD; step++) {
        let j = min(firstKey + next + step, lastKey);
        ahead[step] = value[(head * parameters.keys + j) * valueColumns + min(column, valueColumns - 1u)];
      }
      for (var step = 0u; step < AHEAD; step++) {
        for (var i = 0u; i < SHARE; i++) {
          sums[i] = fma(vec4f(weights[min(firstShared + i, QUERIES - 1u)][next + step]), ahead[step], sums[i]);
        }
      }
    }
    for (var i = 0u; i < SHARE; i++) {
      let isOwn = firstShared + i < QUERIES && firstQuery + firstShared + i < parameters.queries;
      if (isOwn && column < valueColumns) {
        partial[(place + firstShared + i) * valueColumns + column] = sums[i];
      }
    }
  }
}

// Share of a chunk with this largest logit against the largest of all.
fn shareOf(most: f32, largest: f32) -> f32 {
  return exponential(max(most - largest, -87.0));
}

// One workgroup a query.
@compute @workgroup_size(LANES)
fn joinChunks(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = workgroup.x + workgroup.y * workgroups.x;
  if (row >= parameters.heads * parameters.queries) {
    return;
  }
  let chunks = parameters.chunks;
  let first = row / parameters.queries * chunks * parameters.queries + row % parameters.queries;
  var most = EMPTY;
  for (var chunk = local; chunk < chunks; chunk += LANES) {
    most = max(most, stats[first + chunk * parameters.queries].x);
  }
  let largest = largestOfLanes(most, 0u, local).x;
  var sum = 0.0;
  for (var chunk = local; chunk < chunks; chunk += LANES) {
    let found = stats[first + chunk * parameters.queries];
    sum = fma(shareOf(found.x, largest), found.y, sum);
  }
  let total = sumOfLanes(vec2f(sum, 0.0), local).x;
  if (local == 0u) {
    logSumExp[row] = largest + logarithm(total);
  }
  // Lanes that do not share a column take every so many-th chunk.
  let columns = parameters.valueColumns;
  let wide = min(columns, LANES);
  let parts = LANES / wide;
  let part = local / wide;
  for (var firstColumn = 0u; firstColumn < columns; firstColumn += wide) {
    let column = firstColumn + local % wide;
    var own = vec4f(0.0);
    for (var next = part; next < select(0u, chunks, part < parts); next += AHEAD * parts) {
      var found: array<f32, AHEAD>;
      var ahead: array<vec4f, AHEAD>;
      for (var step = 0u; step < AHEAD; step++) {
        let place = first + min(next + step * parts, chunks - 1u) * parameters.queries;
        found[step] = stats[place].x;
        ahead[step] = partial[place * columns + min(column, columns - 1u)];
      }
      for (var step = 0u; step < AHEAD; step++) {
        let share = select(0.0, shareOf(found[step], largest), next + step * parts < chunks);
        own = fma(vec4f(share), ahead[step], own);
      }
    }
    joined[local] = own;
    workgroupBarrier();
    if (part == 0u && column < columns) {
      for (var next = 1u; next < parts; next += AHEAD) {
        var others: array<vec4f, AHEAD>;
        for (var step = 0u; step < AHEAD; step++) {
          others[step] = joined[min(next + step, parts - 1u) * wide + local];
        }
        for (var step = 0u; step < AHEAD; step++) {
          own += select(0.0, 1.0, next + step < parts) * others[step];
        }
      }
      output[row * columns + column] = own / total;
    }
    workgroupBarrier();
  }
  let start = row * parameters.keys + local;
  let end = (row + 1u) * parameters.keys;
  for (var j = start; j < end; j += AHEAD * LANES) {
    var ahead: array<f32, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      ahead[step] = probabilities[min(j + step * LANES, end - 1u)];
    }
    for (var step = 0u; step < AHEAD; step++) {
      if (j + step * LANES < end) {
        probabilities[j + step * LANES] = exponential(max(ahead[step] - largest, -87.0)) / total;
      }
    }
  }
}
