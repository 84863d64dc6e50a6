// Softmax weights of keys, of which those below NEGLIGIBLE_WEIGHT are 0: see `Backend.tiltKeys`. Behind elementary.wgsl and
// reductions.wgsl.
// parameters.rows: centres of all heads; count: keys; chunks: pieces of CHUNK keys of a row, a workgroup each.

struct Parameters {
  rows: u32,
  count: u32,
  chunks: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> logits: array<f32>; // (rows, count) f32
@group(0) @binding(2) var<storage, read_write> chunkSums: array<vec2f>; // (rows, chunks, 2) f32: largest logit, sum of exponentials
@group(0) @binding(3) var<storage, read_write> weights: array<f32>; // (rows, count) f32
@group(0) @binding(4) var<storage, read_write> logMass: array<f32>; // (rows) f32

const CHUNK = 1024u;

@compute @workgroup_size(LANES)
fn sumChunks(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let piece = workgroup.x + workgroup.y * workgroups.x;
  let row = piece / parameters.chunks;
  if (row >= parameters.rows) {
    return;
  }
  let first = (piece % parameters.chunks) * CHUNK;
  let start = row * parameters.count + first + local;
  let end = row * parameters.count + min(first + CHUNK, parameters.count);
  var largestHere = EMPTY;
  for (var j = start; j < end; j += LANES) {
    largestHere = max(largestHere, logits[j]);
  }
  let largest = largestOfLanes(largestHere, 0u, local).x;
  var sum = 0.0;
  for (var j = start; j < end; j += LANES) {
    sum += exponential(max(logits[j] - largest, -87.0));
  }
  let total = sumOfLanes(vec2f(sum, 0.0), local).x;
  if (local == 0u) {
    chunkSums[piece] = vec2f(largest, total);
  }
}

@compute @workgroup_size(LANES)
fn weigh(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let piece = workgroup.x + workgroup.y * workgroups.x;
  let chunks = parameters.chunks;
  let row = piece / chunks;
  if (row >= parameters.rows) {
    return;
  }
  var largestHere = EMPTY;
  for (var i = local; i < chunks; i += LANES) {
    largestHere = max(largestHere, chunkSums[row * chunks + i].x);
  }
  let largest = largestOfLanes(largestHere, 0u, local).x;
  var sum = 0.0;
  for (var i = local; i < chunks; i += LANES) {
    let found = chunkSums[row * chunks + i];
    sum += found.y * exponential(max(found.x - largest, -87.0));
  }
  let total = sumOfLanes(vec2f(sum, 0.0), local).x;
  let first = (piece % chunks) * CHUNK;
  if (local == 0u && first == 0u) {
    logMass[row] = largest + logarithm(total);
  }
  let end = row * parameters.count + min(first + CHUNK, parameters.count);
  for (var j = row * parameters.count + first + local; j < end; j += LANES) {
    let weight = exponential(max(logits[j] - largest, -87.0));
    weights[j] = select(weight / total, 0.0, weight < NEGLIGIBLE_WEIGHT * total);
  }
}
