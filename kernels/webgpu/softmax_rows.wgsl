// Softmax probabilities of few queries over all keys. Put behind elementary.wgsl.
// parameters.heads, queries, keys: shapes; columns: vec4s of a query or key row; scale: factor on the inner products;
// queryTiles, keyTiles: tiles of four queries and of four keys per head. Defined in front: FOUR = 4.

struct Parameters {
  heads: u32,
  queries: u32,
  keys: u32,
  columns: u32,
  queryTiles: u32,
  keyTiles: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> query: array<vec4f>; // (heads, queries, 4 columns) f32
@group(0) @binding(2) var<storage, read> key: array<vec4f>; // (heads, keys, 4 columns) f32
@group(0) @binding(3) var<storage, read_write> probabilities: array<f32>; // (heads, queries, keys) f32

const LANES = 64u;

var<workgroup> partial: array<f32, LANES>;

// Four queries by four keys per invocation: each value that is loaded serves four inner products.
@compute @workgroup_size(64)
fn logits(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let tile = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let rowTile = tile / parameters.keyTiles;
  let firstKey = 4u * (tile % parameters.keyTiles);
  let head = rowTile / parameters.queryTiles;
  let firstQuery = 4u * (rowTile % parameters.queryTiles);
  if (head >= parameters.heads) {
    return;
  }
  let four = vec4u(0u, 1u, 2u, 3u);
  let q = (head * parameters.queries + min(firstQuery + four, vec4u(parameters.queries - 1u))) * parameters.columns;
  let k = (head * parameters.keys + min(firstKey + four, vec4u(parameters.keys - 1u))) * parameters.columns;
  var sums = array<vec4f, 4>(vec4f(0.0), vec4f(0.0), vec4f(0.0), vec4f(0.0));
  for (var t = 0u; t < parameters.columns; t++) {
    let keys = transpose(mat4x4f(key[k.x + t], key[k.y + t], key[k.z + t], key[k.w + t]));
    let rows = mat4x4f(query[q.x + t], query[q.y + t], query[q.z + t], query[q.w + t]);
    for (var i = 0u; i < FOUR; i++) {
      for (var part = 0u; part < FOUR; part++) {
        sums[i] = fma(vec4f(rows[i][part]), keys[part], sums[i]);
      }
    }
  }
  for (var i = 0u; i < FOUR; i++) {
    for (var j = 0u; j < FOUR; j++) {
      if (firstQuery + i < parameters.queries && firstKey + j < parameters.keys) {
        probabilities[(head * parameters.queries + firstQuery + i) * parameters.keys + firstKey + j] =
          parameters.scale * sums[i][j];
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
  var largest = -3.0e38;
  for (var j = start; j < end; j += LANES) {
    largest = max(largest, probabilities[j]);
  }
  partial[local] = largest;
  workgroupBarrier();
  for (var distance = LANES / 2u; distance > 0u; distance /= 2u) {
    if (local < distance) {
      partial[local] = max(partial[local], partial[local + distance]);
    }
    workgroupBarrier();
  }
  largest = partial[0];
  workgroupBarrier();
  var sum = 0.0;
  for (var j = start; j < end; j += LANES) {
    let weight = exponential(max(probabilities[j] - largest, -87.0));
    probabilities[j] = weight;
    sum += weight;
  }
  partial[local] = sum;
  workgroupBarrier();
  for (var distance = LANES / 2u; distance > 0u; distance /= 2u) {
    if (local < distance) {
      partial[local] += partial[local + distance];
    }
    workgroupBarrier();
  }
  let total = partial[0];
  for (var j = start; j < end; j += LANES) {
    probabilities[j] /= total;
  }
}
