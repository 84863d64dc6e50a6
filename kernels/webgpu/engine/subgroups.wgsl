// What the kernels take for granted of subgroups, for `subgroupLanes` to look at. LANES lanes in all.

struct Parameters {
  unused: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
// (LANES, 4) u32: lanes of the subgroup, those of them below this one, the first of them, and the last one's place.
@group(0) @binding(1) var<storage, read_write> found: array<vec4u>;
// (LANES, 6) u32: the other lanes of the quad, and those 4, 8 and 12 places away, as far as the subgroup has them.
@group(0) @binding(2) var<storage, read_write> exchanged: array<u32>;

override LANES: u32;

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) local: u32) {
  found[local] = vec4u(subgroupAdd(1u), subgroupExclusiveAdd(1u), subgroupMin(local), subgroupMax(local));
  exchanged[6u * local] = quadSwapX(local);
  exchanged[6u * local + 1u] = quadSwapY(local);
  exchanged[6u * local + 2u] = quadSwapDiagonal(local);
  exchanged[6u * local + 3u] = subgroupShuffleXor(local, 4u);
  exchanged[6u * local + 4u] = subgroupShuffleXor(local, 8u);
  exchanged[6u * local + 5u] = subgroupShuffleXor(local, 12u);
}
