// Softmax weights of keys, of which those below NEGLIGIBLE_WEIGHT are 0: see `Backend.tiltKeys`. Behind elementary.wgsl and
// reductions.wgsl.
// parameters.rows: centres of all heads; count: keys; chunks: pieces of CHUNK keys of a row, a workgroup each; centres: those of one
// head; limited: 1 if a centre sees only the keys before its end.

struct Parameters {
  rows: u32,
  count: u32,
  chunks: u32,
  centres: u32,
  limited: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> logits: array<f32>; // (rows, count) f32
@group(0) @binding(2) var<storage, read> order: array<u32>; // (heads, count) u32: the keys before they were ordered; not read without ends
@group(0) @binding(3) var<storage, read> ends: array<u32>; // (rows) u32: keys that a centre sees; not read if it sees all
@group(0) @binding(4) var<storage, read_write> chunkSums: array<vec2f>; // (rows, chunks, 2) f32: largest logit, sum of exponentials
@group(0) @binding(5) var<storage, read_write> weights: array<f32>; // (rows, count) f32
@group(0) @binding(6) var<storage, read_write> logMass: array<f32>; // (rows) f32

const CHUNK = 1024u;

// The logit of a key of a row, MASKED where it is not seen.
fn logitOf(row: u32, j: u32) -> f32 {
  let logit = logits[row * parameters.count + j];
  if (parameters.limited == 1u) {
    return select(MASKED, logit, order[row / parameters.centres * parameters.count + j] < ends[row]);
  }
  return logit;
}

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
  let start = first + local;
  let end = min(first + CHUNK, parameters.count);
  var largestHere = EMPTY;
  for (var j = start; j < end; j += LANES) {
    largestHere = max(largestHere, logitOf(row, j));
  }
  let largest = largestOfLanes(largestHere, 0u, local).x;
  var sum = 0.0;
  for (var j = start; j < end; j += LANES) {
    sum += exponential(max(logitOf(row, j) - largest, -87.0));
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
  let seesNone = largest <= MASKED;
  if (local == 0u && first == 0u) {
    logMass[row] = select(largest + logarithm(total), EMPTY, seesNone);
  }
  let end = min(first + CHUNK, parameters.count);
  for (var j = first + local; j < end; j += LANES) {
    let weight = exponential(max(logitOf(row, j) - largest, -87.0));
    let isNegligible = seesNone || weight < NEGLIGIBLE_WEIGHT * total;
    weights[row * parameters.count + j] = select(weight / total, 0.0, isNegligible);
  }
}
