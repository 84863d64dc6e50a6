// Sums and maxima over the lanes of a workgroup, through its memory. reductions_subgroups.wgsl is its twin for devices with
// subgroups. All lanes must call these, and LANES must be a power of two.

override LANES: u32;

// So many lanes are taken together at a time: a lane waits about as long for the values of eight as for that of one.
const FEW = 8u;

var<workgroup> ofLanes: array<vec2f, LANES>;
var<workgroup> totals: array<u32, LANES>;
// The sum over all lanes of the last call of `sumBelow`, behind a barrier.
var<workgroup> sumOfAll: u32;

// Sum of eight values, of lanes so far apart: in the order of halving.
fn sumOfEight(first: u32, apart: u32) -> vec2f {
  let a = ofLanes[first];
  let b = ofLanes[first + apart];
  let c = ofLanes[first + 2u * apart];
  let d = ofLanes[first + 3u * apart];
  let e = ofLanes[first + 4u * apart];
  let f = ofLanes[first + 5u * apart];
  let g = ofLanes[first + 6u * apart];
  let h = ofLanes[first + 7u * apart];
  return ((a + e) + (c + g)) + ((b + f) + (d + h));
}

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
    var left = LANES;
    for (; left > FEW; left /= FEW) {
      if (local < left / FEW) {
        ofLanes[local] = sumOfEight(local, left / FEW);
      }
      workgroupBarrier();
    }
    if (left == 8u) {
      total = sumOfEight(0u, 1u);
    } else if (left == 4u) {
      total = (ofLanes[0] + ofLanes[2]) + (ofLanes[1] + ofLanes[3]);
    } else {
      total = ofLanes[0] + ofLanes[1];
    }
  }
  workgroupBarrier();
  return total;
}

// The largest value that a lane gives, with the number that comes with it, below 2^24; the smallest such number.
fn largestOfLanes(value: f32, number: u32, local: u32) -> vec2f {
  ofLanes[local] = vec2f(value, f32(number));
  workgroupBarrier();
  var left = LANES;
  for (; left > FEW; left /= FEW) {
    let next = left / FEW;
    if (local < next) {
      let a = ofLanes[local];
      let b = ofLanes[local + next];
      let c = ofLanes[local + 2u * next];
      let d = ofLanes[local + 3u * next];
      let e = ofLanes[local + 4u * next];
      let f = ofLanes[local + 5u * next];
      let g = ofLanes[local + 6u * next];
      let h = ofLanes[local + 7u * next];
      let half = largerOf(largerOf(a, b), largerOf(c, d));
      ofLanes[local] = largerOf(half, largerOf(largerOf(e, f), largerOf(g, h)));
    }
    workgroupBarrier();
  }
  var largest = ofLanes[0];
  for (var lane = 1u; lane < left; lane++) {
    largest = largerOf(largest, ofLanes[lane]);
  }
  workgroupBarrier();
  return largest;
}

fn largerOf(a: vec2f, b: vec2f) -> vec2f {
  return select(a, b, b.x > a.x || (b.x == a.x && b.y < a.y));
}

// Sum of the first of eight totals, so many of them.
fn sumOfFirst(first: u32, count: u32) -> u32 {
  let a = totals[first];
  let b = totals[first + 1u];
  let c = totals[first + 2u];
  let d = totals[first + 3u];
  let e = totals[first + 4u];
  let f = totals[first + 5u];
  let g = totals[first + 6u];
  let h = totals[first + 7u];
  let half = select(0u, a, count > 0u) + select(0u, b, count > 1u) + select(0u, c, count > 2u) + select(0u, d, count > 3u);
  return half + select(0u, e, count > 4u) + select(0u, f, count > 5u) + select(0u, g, count > 6u) + select(0u, h, count > 7u);
}

// Sum of the numbers that the lanes below this one give. A barrier must come before the next call.
fn sumBelow(own: u32, local: u32) -> u32 {
  totals[local] = own;
  workgroupBarrier();
  var below = 0u;
  if (LANES <= FEW) {
    for (var lane = 0u; lane < local; lane++) {
      below += totals[lane];
    }
  } else {
    let group = local / FEW;
    below = sumOfFirst(group * FEW, local % FEW);
    workgroupBarrier();
    if (local % FEW == FEW - 1u) {
      totals[group] = below + own;
    }
    workgroupBarrier();
    for (var first = 0u; first < LANES / FEW; first += FEW) {
      below += sumOfFirst(first, min(max(group, first) - first, FEW));
    }
  }
  if (local == LANES - 1u) {
    sumOfAll = below + own;
  }
  return below;
}
