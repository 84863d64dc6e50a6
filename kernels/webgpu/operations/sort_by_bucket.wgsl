// One pass of a stable radix sort of each head's rows, least significant digit first. Behind reductions.wgsl.
// parameters.heads, count: shape of `ranks`; chunks: pieces of CHUNK rows per head, each owned by one invocation,
// which makes the order deterministic without atomics; digits: buckets of this pass; shift, mask: lowest bit of the
// digit, and its bits shifted there; first, last: 1 in the first and the last pass.

struct Parameters {
  heads: u32,
  count: u32,
  chunks: u32,
  digits: u32,
  shift: u32,
  mask: u32,
  first: u32,
  last: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> ranks: array<u32>; // (heads, count) u32
@group(0) @binding(2) var<storage, read> previous: array<u32>; // (heads, count) u32, rows in the order so far
@group(0) @binding(3) var<storage, read_write> offsets: array<u32>; // (heads, digits, chunks) u32
@group(0) @binding(4) var<storage, read_write> order: array<u32>; // (heads, count) u32
@group(0) @binding(5) var<storage, read_write> position: array<u32>; // (heads, count) u32

const CHUNK = 128u;

fn rowAt(head: u32, place: u32) -> u32 {
  if (parameters.first == 1u) {
    return place;
  }
  return previous[head * parameters.count + place];
}

fn offsetAt(head: u32, chunk: u32, row: u32) -> u32 {
  let digit = (ranks[head * parameters.count + row] >> parameters.shift) & parameters.mask;
  return (head * parameters.digits + digit) * parameters.chunks + chunk;
}

@compute @workgroup_size(64)
fn countDigits(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let head = at / parameters.chunks;
  let chunk = at % parameters.chunks;
  if (head >= parameters.heads) {
    return;
  }
  for (var digit = 0u; digit < parameters.digits; digit++) {
    offsets[(head * parameters.digits + digit) * parameters.chunks + chunk] = 0u;
  }
  let end = min((chunk + 1u) * CHUNK, parameters.count);
  for (var place = chunk * CHUNK; place < end; place++) {
    offsets[offsetAt(head, chunk, rowAt(head, place))]++;
  }
}

// Exclusive prefix sum over the digits and chunks of one head, which one workgroup cuts into runs.
@compute @workgroup_size(LANES)
fn scanOffsets(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let head = workgroup.x + workgroup.y * workgroups.x;
  if (head >= parameters.heads) {
    return;
  }
  let length = parameters.digits * parameters.chunks;
  let run = (length + LANES - 1u) / LANES;
  let start = head * length + min(local * run, length);
  let end = head * length + min((local + 1u) * run, length);
  var total = 0u;
  for (var i = start; i < end; i++) {
    total += offsets[i];
  }
  var running = sumBelow(total, local);
  for (var i = start; i < end; i++) {
    let digitCount = offsets[i];
    offsets[i] = running;
    running += digitCount;
  }
}

@compute @workgroup_size(64)
fn scatter(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let head = at / parameters.chunks;
  let chunk = at % parameters.chunks;
  if (head >= parameters.heads) {
    return;
  }
  let end = min((chunk + 1u) * CHUNK, parameters.count);
  for (var place = chunk * CHUNK; place < end; place++) {
    let row = rowAt(head, place);
    let slot = offsetAt(head, chunk, row);
    let sorted = offsets[slot];
    offsets[slot] = sorted + 1u;
    order[head * parameters.count + sorted] = row;
    if (parameters.last == 1u) {
      position[head * parameters.count + row] = sorted;
    }
  }
}
