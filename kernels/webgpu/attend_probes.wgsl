// Values weighted by the probabilities of few queries, summed over chunks of the keys and then over the chunks.
// parameters.heads, queries, keys: shapes; columns: vec4s of a value row; tiles: tiles of QUERIES queries of a head; chunks:
// chunks of chunkKeys keys of a head. Defined in front: QUERIES.

struct Parameters {
  heads: u32,
  queries: u32,
  keys: u32,
  columns: u32,
  tiles: u32,
  chunks: u32,
  chunkKeys: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> probabilities: array<f32>; // (heads, queries, keys) f32
@group(0) @binding(2) var<storage, read> value: array<vec4f>; // (heads, keys, 4 columns) f32
@group(0) @binding(3) var<storage, read_write> partial: array<vec4f>; // (heads, chunks, queries, 4 columns) f32
@group(0) @binding(4) var<storage, read_write> output: array<vec4f>; // (heads, queries, 4 columns) f32

// QUERIES queries by one column and a chunk of keys per invocation.
@compute @workgroup_size(64)
fn partialOutputs(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let column = at % parameters.columns;
  let slot = at / parameters.columns;
  let firstQuery = QUERIES * (slot % parameters.tiles);
  let chunkOfAll = slot / parameters.tiles;
  let head = chunkOfAll / parameters.chunks;
  if (head >= parameters.heads) {
    return;
  }
  let firstKey = (chunkOfAll % parameters.chunks) * parameters.chunkKeys;
  let endKey = min(firstKey + parameters.chunkKeys, parameters.keys);
  let lastQuery = parameters.queries - 1u;
  var sums: array<vec4f, QUERIES>;
  for (var i = 0u; i < QUERIES; i++) {
    sums[i] = vec4f(0.0);
  }
  for (var j = firstKey; j < endKey; j++) {
    let v = value[(head * parameters.keys + j) * parameters.columns + column];
    for (var i = 0u; i < QUERIES; i++) {
      // Queries past the end repeat the last one and are not stored.
      let row = head * parameters.queries + min(firstQuery + i, lastQuery);
      sums[i] = fma(vec4f(probabilities[row * parameters.keys + j]), v, sums[i]);
    }
  }
  for (var i = 0u; i < QUERIES; i++) {
    if (firstQuery + i < parameters.queries) {
      partial[(chunkOfAll * parameters.queries + firstQuery + i) * parameters.columns + column] = sums[i];
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
  for (var chunk = 0u; chunk < parameters.chunks; chunk++) {
    sum += partial[(head * parameters.chunks + chunk) * size + at % size];
  }
  output[at] = sum;
}
