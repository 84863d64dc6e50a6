// Twin of reductions.wgsl for devices with subgroups: lanes exchange values without barriers, and only what each subgroup comes to
// passes through workgroup memory. Lanes of a subgroup follow one another, as `subgroupsWork` in subgroups.ts makes sure.

override LANES: u32;

var<workgroup> ofSubgroups: array<vec2f, LANES>;
var<workgroup> totals: array<u32, LANES>;
var<workgroup> sumOfAll: u32;

// Lanes of a subgroup that are in this workgroup: all subgroups have as many, since both numbers are powers of two.
fn subgroupLanes() -> u32 {
  return subgroupAdd(1u);
}

fn sumOfLanes(own: vec2f, local: u32) -> vec2f {
  let lanes = subgroupLanes();
  let sum = subgroupAdd(own);
  if (local % lanes == 0u) {
    ofSubgroups[local / lanes] = sum;
  }
  workgroupBarrier();
  var total = vec2f(0.0);
  for (var subgroup = 0u; subgroup < LANES / lanes; subgroup++) {
    total += ofSubgroups[subgroup];
  }
  workgroupBarrier();
  return total;
}

fn largestOfLanes(value: f32, number: u32, local: u32) -> vec2f {
  let lanes = subgroupLanes();
  let most = subgroupMax(value);
  let first = subgroupMin(select(0xffffffffu, number, value == most));
  if (local % lanes == 0u) {
    ofSubgroups[local / lanes] = vec2f(most, f32(first));
  }
  workgroupBarrier();
  var largest = ofSubgroups[0];
  for (var subgroup = 1u; subgroup < LANES / lanes; subgroup++) {
    let other = ofSubgroups[subgroup];
    largest = select(largest, other, other.x > largest.x || (other.x == largest.x && other.y < largest.y));
  }
  workgroupBarrier();
  return largest;
}

fn sumBelow(own: u32, local: u32) -> u32 {
  let lanes = subgroupLanes();
  var below = subgroupExclusiveAdd(own);
  if (local % lanes == lanes - 1u) {
    totals[local / lanes] = below + own;
  }
  workgroupBarrier();
  for (var subgroup = 0u; subgroup < local / lanes; subgroup++) {
    below += totals[subgroup];
  }
  if (local == LANES - 1u) {
    sumOfAll = below + own;
  }
  return below;
}
