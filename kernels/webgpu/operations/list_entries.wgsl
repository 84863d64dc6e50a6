// Which keys each entry of the lists stands for: see `Backend.sumLists`. Behind reductions.wgsl.
// parameters.heads, centres, count: shapes; chunks: pieces of CHUNK keys per centre; most: entries of a head that there is room for.

struct Parameters {
  heads: u32,
  centres: u32,
  count: u32,
  chunks: u32,
  most: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> gains: array<f32>; // (heads, centres, count) f32
@group(0) @binding(2) var<storage, read> threshold: array<f32>; // (heads) f32
@group(0) @binding(3) var<storage, read> first: array<u32>; // (heads, centres) u32
@group(0) @binding(4) var<storage, read_write> opened: array<u32>; // (heads, centres, chunks) u32: entries that begin in a piece
// (heads, most, 3) u32: where the keys of an entry begin and end, and its centre; all 0 where there is no entry.
@group(0) @binding(5) var<storage, read_write> entries: array<u32>;

const CHUNK = 1024u;

@compute @workgroup_size(64)
fn clear(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  if (at < parameters.heads * parameters.most * 3u) {
    entries[at] = 0u;
  }
}

fn begins(row: u32, place: u32) -> bool {
  return place == 0u || gains[row * parameters.count + place] >= threshold[row / parameters.centres];
}

// The places of a lane in a piece: a run, so that one prefix sum numbers the entries.
fn runOf(piece: u32, local: u32) -> vec2u {
  let start = piece % parameters.chunks * CHUNK + local * (CHUNK / LANES);
  return min(vec2u(start, start + CHUNK / LANES), vec2u(parameters.count));
}

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
  let run = runOf(piece, local);
  var own = 0u;
  for (var place = run.x; place < run.y; place++) {
    own += select(0u, 1u, begins(row, place));
  }
  let below = sumBelow(own, local);
  if (local == LANES - 1u) {
    opened[piece] = below + own;
  }
}

@compute @workgroup_size(LANES)
fn enter(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let piece = workgroup.x + workgroup.y * workgroups.x;
  let row = piece / parameters.chunks;
  if (row >= parameters.heads * parameters.centres) {
    return;
  }
  var before = 0u;
  for (var other = row * parameters.chunks + local; other < piece; other += LANES) {
    before += opened[other];
  }
  sumBelow(before, local);
  let earlier = workgroupUniformLoad(&sumOfAll);
  let run = runOf(piece, local);
  var own = 0u;
  for (var place = run.x; place < run.y; place++) {
    own += select(0u, 1u, begins(row, place));
  }
  // The entry that the next one to begin is.
  var entry = first[row] + earlier + sumBelow(own, local);
  let list = row / parameters.centres * parameters.most;
  for (var place = run.x; place < run.y; place++) {
    if (begins(row, place)) {
      if (place > 0u && entry <= parameters.most) {
        entries[3u * (list + entry - 1u) + 1u] = place;
      }
      if (entry < parameters.most) {
        entries[3u * (list + entry)] = place;
        entries[3u * (list + entry) + 2u] = row % parameters.centres;
      }
      entry++;
    }
    if (place == parameters.count - 1u && entry <= parameters.most) {
      entries[3u * (list + entry - 1u) + 1u] = parameters.count;
    }
  }
}
