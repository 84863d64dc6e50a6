// Sums and maxima over the lanes of a workgroup, through its memory. reductions_subgroups.wgsl is its twin for devices with
// subgroups. All lanes must call these, and LANES must be a power of two.

override LANES: u32;

// So few lanes do not share the work: barriers take longer than that.
const FEW = 8u;

var<workgroup> ofLanes: array<vec2f, LANES>;
var<workgroup> totals: array<u32, LANES>;
// The sum over all lanes of the last call of `sumBelow`, behind a barrier.
var<workgroup> sumOfAll: u32;

// Sum of what the lanes give, the same for all of them.
fn sumOfLanes(own: vec2f, local: u32) -> vec2f {
  ofLanes[local] = own;
  workgroupBarrier();
  var total = vec2f(0.0);
  if (LANES <= FEW) {
    for (var lane = 0u; lane < LANES; lane++) {
      total += ofLanes[lane];
    }
  } else {
    for (var distance = LANES / 2u; distance > 0u; distance /= 2u) {
      if (local < distance) {
        ofLanes[local] += ofLanes[local + distance];
      }
      workgroupBarrier();
    }
    total = ofLanes[0];
  }
  workgroupBarrier();
  return total;
}

// The largest value that a lane gives, with the number that comes with it, below 2^24; the smallest such number.
fn largestOfLanes(value: f32, number: u32, local: u32) -> vec2f {
  ofLanes[local] = vec2f(value, f32(number));
  workgroupBarrier();
  var largest = ofLanes[0];
  if (LANES <= FEW) {
    for (var lane = 1u; lane < LANES; lane++) {
      largest = largerOf(largest, ofLanes[lane]);
    }
  } else {
    for (var distance = LANES / 2u; distance > 0u; distance /= 2u) {
      if (local < distance) {
        ofLanes[local] = largerOf(ofLanes[local], ofLanes[local + distance]);
      }
      workgroupBarrier();
    }
    largest = ofLanes[0];
  }
  workgroupBarrier();
  return largest;
}

fn largerOf(a: vec2f, b: vec2f) -> vec2f {
  return select(a, b, b.x > a.x || (b.x == a.x && b.y < a.y));
}

// Sum of the numbers that the lanes below this one give.
fn sumBelow(own: u32, local: u32) -> u32 {
  totals[local] = own;
  workgroupBarrier();
  var below = 0u;
  if (LANES <= FEW) {
    for (var lane = 0u; lane < local; lane++) {
      below += totals[lane];
    }
  } else {
    for (var distance = 1u; distance < LANES; distance *= 2u) {
      var further = 0u;
      if (local >= distance) {
        further = totals[local - distance];
      }
      workgroupBarrier();
      totals[local] += further;
      workgroupBarrier();
    }
    below = totals[local] - own;
  }
  if (local == LANES - 1u) {
    sumOfAll = below + own;
  }
  return below;
}
