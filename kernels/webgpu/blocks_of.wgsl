// Block of each picked row's sorted position.
// parameters.heads, count, picks: shapes; blocks: runs that `count` positions are cut into, longer runs first.

struct Parameters {
  heads: u32,
  count: u32,
  picks: u32,
  blocks: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> position: array<u32>; // (heads, count) u32
@group(0) @binding(2) var<storage, read> index: array<u32>; // (heads, picks) u32
@group(0) @binding(3) var<storage, read_write> blockIds: array<u32>; // (heads, picks) u32

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let head = at / parameters.picks;
  if (head >= parameters.heads) {
    return;
  }
  let place = position[head * parameters.count + index[at]];
  let base = parameters.count / parameters.blocks;
  let longer = parameters.count % parameters.blocks;
  let boundary = longer * (base + 1u);
  // base is 0 only where every row lies below the boundary.
  blockIds[at] = select(longer + (place - boundary) / max(base, 1u), place / (base + 1u), place < boundary);
}
