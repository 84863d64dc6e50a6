// Values weighted by the probabilities of few queries, summed over chunks of the keys and then over the chunks.
// parameters.heads, queries, keys: shapes; columns: vec4s of a value row; tiles: tiles of QUERIES queries of a head; chunks:
// chunks of chunkKeys keys of a head; strips: strips of COLUMNS vec4s of a value row. Defined in front: QUERIES, COLUMNS; AHEAD,
// parts that a lane loads at a time; KEYS, keys.

struct Parameters {
  heads: u32,
  queries: u32,
  keys: u32,
  columns: u32,
  tiles: u32,
  chunks: u32,
  chunkKeys: u32,
  strips: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> probabilities: array<f32>; // (heads, queries, keys) f32
@group(0) @binding(2) var<storage, read> value: array<vec4f>; // (heads, keys, 4 columns) f32
@group(0) @binding(3) var<storage, read_write> partial: array<vec4f>; // (heads, chunks, queries, 4 columns) f32
@group(0) @binding(4) var<storage, read_write> output: array<vec4f>; // (heads, queries, 4 columns) f32

// QUERIES queries by COLUMNS columns and a chunk of keys per invocation.
@compute @workgroup_size(64)
fn partialOutputs(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let firstColumn = COLUMNS * (at % parameters.strips);
  let slot = at / parameters.strips;
  let firstQuery = QUERIES * (slot % parameters.tiles);
  let chunkOfAll = slot / parameters.tiles;
  let head = chunkOfAll / parameters.chunks;
  if (head >= parameters.heads) {
    return;
  }
  let firstKey = (chunkOfAll % parameters.chunks) * parameters.chunkKeys;
  let endKey = min(firstKey + parameters.chunkKeys, parameters.keys);
  // Queries and columns past the end repeat the last one and are not stored.
  let lastQuery = parameters.queries - 1u;
  let lastColumn = parameters.columns - 1u;
  var sums: array<array<vec4f, COLUMNS>, QUERIES>;
  for (var i = 0u; i < QUERIES; i++) {
    for (var c = 0u; c < COLUMNS; c++) {
      sums[i][c] = vec4f(0.0);
    }
  }
  for (var first = firstKey; first < endKey; first += KEYS) {
    var weights: array<array<f32, QUERIES>, KEYS>;
    var values: array<array<vec4f, COLUMNS>, KEYS>;
    for (var k = 0u; k < KEYS; k++) {
      // Keys past the end repeat the last one, and count 0.
      let j = min(first + k, endKey - 1u);
      for (var i = 0u; i < QUERIES; i++) {
        let row = head * parameters.queries + min(firstQuery + i, lastQuery);
        weights[k][i] = probabilities[row * parameters.keys + j];
      }
      for (var c = 0u; c < COLUMNS; c++) {
        values[k][c] = value[(head * parameters.keys + j) * parameters.columns + min(firstColumn + c, lastColumn)];
      }
    }
    for (var k = 0u; k < KEYS; k++) {
      let own = select(0.0, 1.0, KEYS == 1u || first + k < endKey);
      for (var c = 0u; c < COLUMNS; c++) {
        for (var i = 0u; i < QUERIES; i++) {
          sums[i][c] = fma(vec4f(own * weights[k][i]), values[k][c], sums[i][c]);
        }
      }
    }
  }
  for (var i = 0u; i < QUERIES; i++) {
    for (var c = 0u; c < COLUMNS; c++) {
      if (firstQuery + i < parameters.queries && firstColumn + c < parameters.columns) {
        partial[(chunkOfAll * parameters.queries + firstQuery + i) * parameters.columns + firstColumn + c] = sums[i][c];
      }
    }
  }
}

@compute @workgroup_size(64)
fn joinOutputs(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let size = parameters.queries * parameters.columns;
  let head = at / size;
  if (head >= parameters.heads) {
    return;
  }
  var sum = vec4f(0.0);
  for (var chunk = 0u; chunk < parameters.chunks; chunk += AHEAD) {
    var ahead: array<vec4f, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      ahead[step] = partial[(head * parameters.chunks + min(chunk + step, parameters.chunks - 1u)) * size + at % size];
    }
    for (var step = 0u; step < AHEAD; step++) {
      sum += select(0.0, 1.0, AHEAD == 1u || chunk + step < parameters.chunks) * ahead[step];
    }
  }
  output[at] = sum;
}
