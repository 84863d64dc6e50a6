// Softmax probabilities of few queries over all keys. Put behind elementary.wgsl and reductions.wgsl.
// parameters.heads, queries, keys: shapes; columns: vec4s of a query or key row; scale: factor on the inner products;
// queryTiles, keyTiles: tiles of QUERIES queries and of FOURS times four keys per head. Defined in front: QUERIES and FOURS, what
// an invocation takes, and FOUR = 4; AHEAD, probabilities that a lane loads at a time.

struct Parameters {
  heads: u32,
  queries: u32,
  keys: u32,
  columns: u32,
  queryTiles: u32,
  keyTiles: u32,
  scale: f32,
}

// Features, in vec4s, whose products are summed in one chain; chains are added.
const CHAIN = 8u;

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> query: array<vec4f>; // (heads, queries, 4 columns) f32
@group(0) @binding(2) var<storage, read> key: array<vec4f>; // (heads, keys, 4 columns) f32
@group(0) @binding(3) var<storage, read_write> probabilities: array<f32>; // (heads, queries, keys) f32
@group(0) @binding(4) var<storage, read_write> logSumExp: array<f32>; // (heads, queries) f32

// QUERIES queries by FOURS times four keys per invocation: each value that is loaded serves all of the others.
@compute @workgroup_size(64)
fn logits(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let tile = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let rowTile = tile / parameters.keyTiles;
  let firstKey = FOURS * FOUR * (tile % parameters.keyTiles);
  let head = rowTile / parameters.queryTiles;
  let firstQuery = QUERIES * (rowTile % parameters.queryTiles);
  if (head >= parameters.heads) {
    return;
  }
  let firstRow = head * parameters.queries;
  let lastQuery = parameters.queries - 1u;
  let lastKey = parameters.keys - 1u;
  var sums: array<array<vec4f, QUERIES>, FOURS>;
  for (var f = 0u; f < FOURS; f++) {
    for (var i = 0u; i < QUERIES; i++) {
      sums[f][i] = vec4f(0.0);
    }
  }
  for (var first = 0u; first < parameters.columns; first += CHAIN) {
    let end = min(first + CHAIN, parameters.columns);
    var chain: array<array<vec4f, QUERIES>, FOURS>;
    for (var f = 0u; f < FOURS; f++) {
      for (var i = 0u; i < QUERIES; i++) {
        chain[f][i] = vec4f(0.0);
      }
    }
    for (var t = first; t < end; t++) {
      // Queries and keys past the end repeat the last one and are not stored.
      var rows: array<vec4f, QUERIES>;
      for (var i = 0u; i < QUERIES; i++) {
        rows[i] = query[(firstRow + min(firstQuery + i, lastQuery)) * parameters.columns + t];
      }
      for (var f = 0u; f < FOURS; f++) {
        let four = min(vec4u(firstKey + f * FOUR) + vec4u(0u, 1u, 2u, 3u), vec4u(lastKey));
        let k = (vec4u(head * parameters.keys) + four) * parameters.columns + vec4u(t);
        let keys = transpose(mat4x4f(key[k.x], key[k.y], key[k.z], key[k.w]));
        for (var i = 0u; i < QUERIES; i++) {
          chain[f][i] = fma(rows[i].xxxx, keys[0], chain[f][i]);
          chain[f][i] = fma(rows[i].yyyy, keys[1], chain[f][i]);
          chain[f][i] = fma(rows[i].zzzz, keys[2], chain[f][i]);
          chain[f][i] = fma(rows[i].wwww, keys[3], chain[f][i]);
        }
      }
    }
    for (var f = 0u; f < FOURS; f++) {
      for (var i = 0u; i < QUERIES; i++) {
        sums[f][i] += chain[f][i];
      }
    }
  }
  for (var f = 0u; f < FOURS; f++) {
    for (var i = 0u; i < QUERIES; i++) {
      for (var j = 0u; j < FOUR; j++) {
        let at = firstKey + f * FOUR + j;
        if (firstQuery + i < parameters.queries && at < parameters.keys) {
          probabilities[(firstRow + firstQuery + i) * parameters.keys + at] = parameters.scale * sums[f][i][j];
        }
      }
    }
  }
}

// One workgroup per row.
@compute @workgroup_size(LANES)
fn normalise(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = workgroup.x + workgroup.y * workgroups.x;
  if (row >= parameters.heads * parameters.queries) {
    return;
  }
  let start = row * parameters.keys + local;
  let end = (row + 1u) * parameters.keys;
  var largestHere = EMPTY;
  for (var j = start; j < end; j += AHEAD * LANES) {
    var ahead: array<f32, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      ahead[step] = probabilities[min(j + step * LANES, end - 1u)];
    }
    for (var step = 0u; step < AHEAD; step++) {
      largestHere = max(largestHere, ahead[step]);
    }
  }
  let largest = largestOfLanes(largestHere, 0u, local).x;
  var sum = 0.0;
  for (var j = start; j < end; j += AHEAD * LANES) {
    var ahead: array<f32, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      ahead[step] = probabilities[min(j + step * LANES, end - 1u)];
    }
    for (var step = 0u; step < AHEAD; step++) {
      let weight = exponential(max(ahead[step] - largest, -87.0));
      if (AHEAD == 1u || j + step * LANES < end) {
        probabilities[j + step * LANES] = weight;
        sum += weight;
      }
    }
  }
  let total = sumOfLanes(vec2f(sum, 0.0), local).x;
  if (local == 0u) {
    logSumExp[row] = largest + logarithm(total);
  }
  for (var j = start; j < end; j += AHEAD * LANES) {
    var ahead: array<f32, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      ahead[step] = probabilities[min(j + step * LANES, end - 1u)];
    }
    for (var step = 0u; step < AHEAD; step++) {
      if (AHEAD == 1u || j + step * LANES < end) {
        probabilities[j + step * LANES] = ahead[step] / total;
      }
    }
  }
}
