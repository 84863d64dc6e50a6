// One pass of a stable radix sort of each head's rows, least significant digit first. Behind reductions.wgsl.
// parameters.heads, count: shape of `ranks`; chunks: pieces of CHUNK rows per head, each owned by one invocation, or by one
// workgroup of as many, which makes the order deterministic without atomics; digits: buckets of this pass; shift, mask: lowest bit of the
// digit, and its bits shifted there; first, last: 1 in the first and the last pass.
// Defined in front: CHUNK; AHEAD, offsets that are loaded at a time.

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

fn rowAt(head: u32, place: u32) -> u32 {
  if (parameters.first == 1u) {
    return place;
  }
  return previous[head * parameters.count + place];
}

fn digitOf(head: u32, row: u32) -> u32 {
  return (ranks[head * parameters.count + row] >> parameters.shift) & parameters.mask;
}

fn offsetOf(head: u32, chunk: u32, digit: u32) -> u32 {
  return (head * parameters.digits + digit) * parameters.chunks + chunk;
}

fn offsetAt(head: u32, chunk: u32, row: u32) -> u32 {
  return offsetOf(head, chunk, digitOf(head, row));
}

var<workgroup> digitsOfRows: array<vec4u, CHUNK / 4u>;

// How many rows of the chunk in front of this lane's have its digit, and how many in all.
fn alike(digit: u32, local: u32) -> vec2u {
  digitsOfRows[local / 4u][local % 4u] = digit;
  workgroupBarrier();
  var found = vec2u(0u);
  for (var first = 0u; first < CHUNK; first += 4u) {
    let same = select(vec4u(0u), vec4u(1u), digitsOfRows[first / 4u] == vec4u(digit));
    let before = select(vec4u(0u), same, vec4u(first) + vec4u(0u, 1u, 2u, 3u) < vec4u(local));
    found += vec2u(before.x + before.y + before.z + before.w, same.x + same.y + same.z + same.w);
  }
  return found;
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
  for (var i = start; i < end; i += AHEAD) {
    var counted: array<u32, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      counted[step] = offsets[min(i + step, end - 1u)];
    }
    for (var step = 0u; step < AHEAD; step++) {
      total += select(0u, counted[step], i + step < end);
    }
  }
  var running = sumBelow(total, local);
  for (var i = start; i < end; i += AHEAD) {
    var counted: array<u32, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      counted[step] = offsets[min(i + step, end - 1u)];
    }
    for (var step = 0u; step < AHEAD; step++) {
      if (i + step < end) {
        offsets[i + step] = running;
        running += counted[step];
      }
    }
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

// The same as countDigits, a workgroup a chunk and a lane a row.
@compute @workgroup_size(CHUNK)
fn countShared(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = workgroup.x + workgroup.y * workgroups.x;
  let head = at / parameters.chunks;
  let chunk = at % parameters.chunks;
  if (head >= parameters.heads) {
    return;
  }
  for (var digit = local; digit < parameters.digits; digit += CHUNK) {
    offsets[offsetOf(head, chunk, digit)] = 0u;
  }
  let place = chunk * CHUNK + local;
  var digit = NO_ROW;
  if (place < parameters.count) {
    digit = digitOf(head, rowAt(head, place));
  }
  let found = alike(digit, local);
  storageBarrier();
  if (digit != NO_ROW && found.x == 0u) {
    offsets[offsetOf(head, chunk, digit)] = found.y;
  }
}

// The same as scatter.
@compute @workgroup_size(CHUNK)
fn scatterShared(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = workgroup.x + workgroup.y * workgroups.x;
  let head = at / parameters.chunks;
  let chunk = at % parameters.chunks;
  if (head >= parameters.heads) {
    return;
  }
  let place = chunk * CHUNK + local;
  var row = NO_ROW;
  var digit = NO_ROW;
  if (place < parameters.count) {
    row = rowAt(head, place);
    digit = digitOf(head, row);
  }
  let found = alike(digit, local);
  if (digit == NO_ROW) {
    return;
  }
  let sorted = offsets[offsetOf(head, chunk, digit)] + found.x;
  order[head * parameters.count + sorted] = row;
  if (parameters.last == 1u) {
    position[head * parameters.count + row] = sorted;
  }
}
