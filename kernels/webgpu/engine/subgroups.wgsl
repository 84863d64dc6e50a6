// What the kernels take for granted of subgroups, for `subgroupsWork` to look at. LANES lanes in all.

struct Parameters {
  unused: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
// (LANES, 4) u32: lanes of the subgroup, those of them below this one, the first of them, and the last one's place.
@group(0) @binding(1) var<storage, read_write> found: array<vec4u>;

override LANES: u32;

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) local: u32) {
  found[local] = vec4u(subgroupAdd(1u), subgroupExclusiveAdd(1u), subgroupMin(local), subgroupMax(local));
}
