// One pass of a stable radix sort of each head's rows, least significant digit first. Behind reductions.wgsl.
// parameters.heads, count: shape of `ranks`; chunks: pieces of CHUNK rows per head, each owned by one invocation, or by one
// workgroup of as many, which makes the order deterministic without atomics; digits: buckets of this pass; shift, mask: lowest bit of the
// digit, and its bits shifted there; first, last: 1 in the first and the last pass; scanned: 0 where scatterShared itself sums what the
// chunks count.
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
  scanned: u32,
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
// How many rows of the chunk have each digit, or where its first one goes: there are no more digits than rows in a chunk.
var<workgroup> counted: array<atomic<u32>, CHUNK>;

// How many rows of the chunk in front of this lane's have its digit.
fn alike(digit: u32, local: u32) -> u32 {
  digitsOfRows[local / 4u][local % 4u] = digit;
  workgroupBarrier();
  var found = 0u;
  for (var first = 0u; first < local; first += 16u) {
    let a = digitsOfRows[first / 4u];
    let b = digitsOfRows[first / 4u + 1u];
    let c = digitsOfRows[first / 4u + 2u];
    let d = digitsOfRows[first / 4u + 3u];
    found += sameBefore(a, digit, first, local) + sameBefore(b, digit, first + 4u, local) +
      sameBefore(c, digit, first + 8u, local) + sameBefore(d, digit, first + 12u, local);
  }
  return found;
}

fn sameBefore(digits: vec4u, digit: u32, first: u32, local: u32) -> u32 {
  let places = vec4u(first) + vec4u(0u, 1u, 2u, 3u);
  let same = select(vec4u(0u), vec4u(1u), (digits == vec4u(digit)) & (places < vec4u(local)));
  return (same.x + same.y) + (same.z + same.w);
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
  let place = chunk * CHUNK + local;
  if (place < parameters.count) {
    atomicAdd(&counted[digitOf(head, rowAt(head, place))], 1u);
  }
  workgroupBarrier();
  if (local < parameters.digits) {
    offsets[offsetOf(head, chunk, local)] = atomicLoad(&counted[local]);
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
  var before = 0u;
  if (parameters.scanned == 1u) {
    before = offsets[offsetOf(head, chunk, min(digit, parameters.digits - 1u))];
  } else {
    // A lane a digit: what all chunks and those in front of this one have of it.
    var counts = vec2u(0u);
    let first = offsetOf(head, 0u, min(local, parameters.digits - 1u));
    for (var next = 0u; next < parameters.chunks; next += AHEAD) {
      var ahead: array<u32, AHEAD>;
      for (var step = 0u; step < AHEAD; step++) {
        ahead[step] = offsets[first + min(next + step, parameters.chunks - 1u)];
      }
      for (var step = 0u; step < AHEAD; step++) {
        counts += select(vec2u(0u), vec2u(ahead[step]), vec2u(next + step) < vec2u(parameters.chunks, chunk));
      }
    }
    let isDigit = local < parameters.digits;
    atomicStore(&counted[local], sumBelow(select(0u, counts.x, isDigit), local) + counts.y);
    workgroupBarrier();
    before = atomicLoad(&counted[min(digit, CHUNK - 1u)]);
  }
  if (digit == NO_ROW) {
    return;
  }
  let sorted = before + found;
  order[head * parameters.count + sorted] = row;
  if (parameters.last == 1u) {
    position[head * parameters.count + row] = sorted;
  }
}
