// Everything that attention reads by index, in one array, since a kernel may bind eight: the order of the queries
// (heads, queries), from keyOrderAt on that of the keys (heads, keys), from keyBlocksAt on the blocks that keys are hidden
// from (heads, keys), from boundsAt on those of blocks (heads, blocks, 4), and from samplesAt on the sampled keys (heads, samples, 3): row, block, bits of the log-weight.
// What is absent takes no room.
// parameters.keys, blocks, samples: shapes; parts: words before samplesAt and sampled keys after it.

struct Parameters {
  keys: u32,
  blocks: u32,
  samples: u32,
  keyOrderAt: u32,
  keyBlocksAt: u32,
  boundsAt: u32,
  samplesAt: u32,
  parts: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> queryOrder: array<u32>; // (heads, queries) u32
@group(0) @binding(2) var<storage, read> keyOrder: array<u32>; // (heads, keys) u32
@group(0) @binding(3) var<storage, read> keyBlocks: array<u32>; // (heads, keys) u32
@group(0) @binding(4) var<storage, read> bounds: array<u32>; // (heads, blocks, 4) u32
@group(0) @binding(5) var<storage, read> sample: array<u32>; // (heads, samples) u32
@group(0) @binding(6) var<storage, read> logWeight: array<f32>; // (heads, samples) f32
@group(0) @binding(7) var<storage, read> position: array<u32>; // (heads, keys) u32
@group(0) @binding(8) var<storage, read_write> index: array<u32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  if (at >= parameters.parts) {
    return;
  }
  if (at < parameters.keyOrderAt) {
    index[at] = queryOrder[at];
  } else if (at < parameters.keyBlocksAt) {
    index[at] = keyOrder[at - parameters.keyOrderAt];
  } else if (at < parameters.boundsAt) {
    index[at] = keyBlocks[at - parameters.keyBlocksAt];
  } else if (at < parameters.samplesAt) {
    index[at] = bounds[at - parameters.boundsAt];
  } else {
    let s = at - parameters.samplesAt;
    let place = position[(s / parameters.samples) * parameters.keys + sample[s]];
    let base = parameters.keys / parameters.blocks;
    let longer = parameters.keys % parameters.blocks;
    let boundary = longer * (base + 1u);
    let to = parameters.samplesAt + 3u * s;
    index[to] = sample[s];
    // base is 0 only where every row lies below the boundary.
    index[to + 1u] = select(longer + (place - boundary) / max(base, 1u), place / (base + 1u), place < boundary);
    index[to + 2u] = bitcast<u32>(logWeight[s]);
  }
}
