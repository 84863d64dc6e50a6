// Thresholds of gains, and the lengths of the lists that they cut: see `Backend.openLists`. Behind reductions.wgsl.
// parameters.heads, centres, count: shapes; chunks: pieces of CHUNK gains per centre; budget: most entries, each list counted as
// often as its centre has queries. Defined in front: AHEAD, numbers that a lane loads at a time.

struct Parameters {
  heads: u32,
  centres: u32,
  count: u32,
  chunks: u32,
  budget: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> gains: array<f32>; // (heads, centres, count) f32
@group(0) @binding(2) var<storage, read> sizes: array<u32>; // (heads, centres) u32
// (heads, BINS, 2) u32: entries that a threshold of each number opens, the lower and the upper word.
@group(0) @binding(3) var<storage, read_write> entries: array<atomic<u32>>;
@group(0) @binding(4) var<storage, read_write> threshold: array<f32>; // (heads) f32
@group(0) @binding(5) var<storage, read_write> lengths: array<atomic<u32>>; // (heads, centres) u32

const CHUNK = 4096u;
// Numbers whose last 16 bits are 0, counted from 0 by the other bits: 2^127 is the last that is a threshold.
const LAST = 0x7f00u;
const BINS = LAST + 1u;

// What the bins of each lane hold.
var<workgroup> ofBins: array<vec2u, LANES>;
var<workgroup> least: atomic<u32>;

// A sum of two numbers of 64 bits.
fn add(a: vec2u, b: vec2u) -> vec2u {
  let low = a.x + b.x;
  return vec2u(low, a.y + b.y + select(0u, 1u, low < a.x));
}

fn entriesOf(head: u32, bin: u32) -> vec2u {
  let at = 2u * (head * BINS + bin);
  return vec2u(atomicLoad(&entries[at]), atomicLoad(&entries[at + 1u]));
}

// What the bins of lanes hold, from one on.
fn sumFrom(start: u32) -> vec2u {
  var sum = vec2u(0u);
  for (var next = start; next < LANES; next += AHEAD) {
    var found: array<vec2u, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      found[step] = ofBins[min(next + step, LANES - 1u)];
    }
    for (var step = 0u; step < AHEAD; step++) {
      sum = add(sum, select(vec2u(0u), found[step], AHEAD == 1u || next + step < LANES));
    }
  }
  return sum;
}

@compute @workgroup_size(64)
fn clear(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  if (at < parameters.heads * 2u * BINS) {
    atomicStore(&entries[at], 0u);
  }
  if (at < parameters.heads * parameters.centres) {
    // The first entry of each list, before which nothing is cut.
    atomicStore(&lengths[at], 1u);
  }
}

// A piece of a centre's gains per workgroup.
@compute @workgroup_size(LANES)
fn tally(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let piece = workgroup.x + workgroup.y * workgroups.x;
  let row = piece / parameters.chunks;
  if (row >= parameters.heads * parameters.centres) {
    return;
  }
  let first = (piece % parameters.chunks) * CHUNK;
  let end = min(first + CHUNK, parameters.count);
  let size = sizes[row];
  let own = row / parameters.centres * BINS;
  for (var j = max(first, 1u) + local; j < end; j += LANES) {
    let bin = min(bitcast<u32>(gains[row * parameters.count + j]) >> 16u, LAST);
    // No threshold is 0.
    if (bin > 0u) {
      let before = atomicAdd(&entries[2u * (own + bin)], size);
      if (before + size < before) {
        atomicAdd(&entries[2u * (own + bin) + 1u], 1u);
      }
    }
  }
}

// One workgroup per head: each lane has a run of bins.
@compute @workgroup_size(LANES)
fn choose(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let head = workgroup.x + workgroup.y * workgroups.x;
  if (head >= parameters.heads) {
    return;
  }
  var used = vec2u(0u);
  for (var i = local; i < parameters.centres; i += LANES) {
    used = add(used, vec2u(sizes[head * parameters.centres + i], 0u));
  }
  ofBins[local] = used;
  if (local == 0u) {
    atomicStore(&least, BINS);
  }
  workgroupBarrier();
  used = sumFrom(0u);
  workgroupBarrier();
  let run = (BINS + LANES - 1u) / LANES;
  let first = max(local * run, 1u);
  let end = min((local + 1u) * run, BINS);
  var own = vec2u(0u);
  for (var next = first; next < end; next += AHEAD) {
    var found: array<vec2u, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      found[step] = entriesOf(head, min(next + step, BINS - 1u));
    }
    for (var step = 0u; step < AHEAD; step++) {
      own = add(own, select(vec2u(0u), found[step], next + step < end));
    }
  }
  ofBins[local] = own;
  workgroupBarrier();
  used = add(used, sumFrom(local + 1u));
  var lowest = BINS;
  var fits = true;
  for (var next = end; next > first && fits; next -= min(next, AHEAD)) {
    var found: array<vec2u, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      found[step] = entriesOf(head, max(next, step + 1u) - step - 1u);
    }
    for (var step = 0u; step < AHEAD; step++) {
      used = add(used, found[step]);
      fits = fits && next >= first + step + 1u && used.y == 0u && used.x <= parameters.budget;
      lowest = select(lowest, next - step - 1u, fits);
    }
  }
  atomicMin(&least, lowest);
  workgroupBarrier();
  if (local == 0u) {
    threshold[head] = bitcast<f32>(min(atomicLoad(&least), LAST) << 16u);
  }
}

// A piece of a centre's gains per workgroup.
@compute @workgroup_size(LANES)
fn measure(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let piece = workgroup.x + workgroup.y * workgroups.x;
  let row = piece / parameters.chunks;
  if (row >= parameters.heads * parameters.centres) {
    return;
  }
  let first = (piece % parameters.chunks) * CHUNK;
  let end = min(first + CHUNK, parameters.count);
  let limit = threshold[row / parameters.centres];
  var opened = 0u;
  for (var j = max(first, 1u) + local; j < end; j += LANES) {
    opened += select(0u, 1u, gains[row * parameters.count + j] >= limit);
  }
  let below = sumBelow(opened, local);
  if (local == LANES - 1u) {
    atomicAdd(&lengths[row], below + opened);
  }
}
