// How rows are cut in two, by a workgroup. Behind reductions.wgsl and bisection_tree.wgsl.
// Defined in front: AHEAD, turns of a loop that are written out: what they load past the end is the last one again and counts 0, since
// compilers wait for loads in front of a branch.

@group(0) @binding(5) var<storage, read> weights: array<f32>; // (heads, count) f32
// (heads, count + most + 1) f32: weight · squared distance of the rows; scatters of the clusters; the scatter that ends the cutting.
@group(0) @binding(6) var<storage, read_write> moments: array<f32>;

var<workgroup> partial: array<vec4f, LANES>;
var<workgroup> partialTotals: array<vec2f, LANES>;
// What all lanes must agree on.
var<workgroup> agreed: u32;

fn agreeOn(value: u32, local: u32) -> u32 {
  if (local == 0u) {
    agreed = value;
  }
  return workgroupUniformLoad(&agreed);
}

// 1 for what lies in front of an end, else 0.
fn counts(at: u32, end: u32) -> f32 {
  return select(0.0, 1.0, AHEAD == 1u || at < end);
}

// <row − origin, normal>. The difference comes first: a mean that one heavy row dominates lies so close to it that rounded
// inner products could not tell them apart.
fn sideOf(row: u32, normal: u32) -> f32 {
  let columns = parameters.columns;
  var sums = vec4f(0.0);
  for (var first = 0u; first < columns; first += AHEAD) {
    var own: array<vec4f, AHEAD>;
    var origin: array<vec4f, AHEAD>;
    var across: array<vec4f, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      let c = min(first + step, columns - 1u);
      own[step] = rows[row + c];
      origin[step] = means[normal + columns + c];
      across[step] = means[normal + c];
    }
    for (var step = 0u; step < AHEAD; step++) {
      sums = fma(counts(first + step, columns) * (own[step] - origin[step]), across[step], sums);
    }
  }
  return (sums.x + sums.y) + (sums.z + sums.w);
}

// Squared distance of a row from a mean.
fn squareOf(row: u32, mean: u32) -> f32 {
  let columns = parameters.columns;
  var squares = vec4f(0.0);
  for (var first = 0u; first < columns; first += AHEAD) {
    var own: array<vec4f, AHEAD>;
    var centre: array<vec4f, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      let c = min(first + step, columns - 1u);
      own[step] = rows[row + c];
      centre[step] = means[mean + c];
    }
    for (var step = 0u; step < AHEAD; step++) {
      let difference = counts(first + step, columns) * (own[step] - centre[step]);
      squares = fma(difference, difference, squares);
    }
  }
  return (squares.x + squares.y) + (squares.z + squares.w);
}

// Mean of `length` members from a place in the order on; returns their weight and that of their moments to the lanes that hold
// columns of the mean, with the square of what these are off the mean of all.
fn meanOf(head: u32, members: u32, length: u32, mean: u32, local: u32) -> vec3f {
  let count = parameters.count;
  let columns = parameters.columns;
  let state = head * (count + parameters.most + 1u);
  let centre = centreOf(head);
  let wide = min(columns, LANES);
  let parts = LANES / wide;
  let part = local / wide;
  var found = vec2f(0.0);
  var squared = 0.0;
  for (var first = 0u; first < columns; first += wide) {
    let column = first + local % wide;
    var sum = vec4f(0.0);
    if (part < parts && column < columns) {
      for (var next = part; next < length; next += AHEAD * parts) {
        var picked: array<u32, AHEAD>;
        var weight: array<f32, AHEAD>;
        var moment: array<f32, AHEAD>;
        var value: array<vec4f, AHEAD>;
        for (var step = 0u; step < AHEAD; step++) {
          picked[step] = order[members + min(next + step * parts, length - 1u)] & ~BEYOND;
        }
        for (var step = 0u; step < AHEAD; step++) {
          weight[step] = weights[head * count + picked[step]];
          moment[step] = moments[state + picked[step]];
          value[step] = rows[(head * count + picked[step]) * columns + column];
        }
        for (var step = 0u; step < AHEAD; step++) {
          let own = counts(next + step * parts, length);
          sum = fma(vec4f(own * weight[step]), value[step], sum);
          if (first == 0u) {
            found += own * vec2f(weight[step], moment[step]);
          }
        }
      }
    }
    partial[local] = sum;
    partialTotals[local] = found;
    workgroupBarrier();
    if (part == 0u && column < columns) {
      for (var next = 1u; next < parts; next += AHEAD) {
        var others: array<vec4f, AHEAD>;
        var othersFound: array<vec2f, AHEAD>;
        for (var step = 0u; step < AHEAD; step++) {
          let other = min(next + step, parts - 1u) * wide + local;
          others[step] = partial[other];
          othersFound[step] = partialTotals[other];
        }
        for (var step = 0u; step < AHEAD; step++) {
          let own = counts(next + step, parts);
          sum += own * others[step];
          if (first == 0u) {
            found += own * othersFound[step];
          }
        }
      }
      sum /= found.x;
      means[mean + column] = sum;
      let difference = sum - means[centre + column];
      squared += dot(difference, difference);
    }
    workgroupBarrier();
  }
  return vec3f(found, squared);
}

// Mean of a cluster, and its scatter to the first lane.
fn measure(head: u32, members: u32, length: u32, mean: u32, local: u32) -> f32 {
  let found = meanOf(head, members, length, mean, local);
  let square = sumOfLanes(vec2f(found.z, 0.0), local).x;
  // One row has no scatter, only rounding.
  return select(0.0, found.y - found.x * square, length > 1u);
}

// Copies one of each `every` members of `all`, `length` in all, those on the near side of the hyperplane in front of those beyond it, in
// their old order, and returns how many are near; copies nothing if a side is empty.
fn separate(head: u32, normal: u32, members: u32, all: u32, every: u32, to: u32, local: u32) -> u32 {
  let length = strideFor(all, every);
  let count = parameters.count;
  let columns = parameters.columns;
  // Each lane takes a run of members, so that one prefix sum tells where they go.
  let run = (length + LANES - 1u) / LANES;
  let first = min(local * run, length);
  let end = min(first + run, length);
  var nearCount = 0u;
  for (var i = first; i < end; i++) {
    let place = members + memberOf(i, every, all);
    let row = order[place] & ~BEYOND;
    let near = sideOf((head * count + row) * columns, normal) <= 0.0;
    nearCount += select(0u, 1u, near);
    order[place] = select(row | BEYOND, row, near);
  }
  let nearBelow = sumBelow(nearCount, local);
  let total = workgroupUniformLoad(&sumOfAll);
  if (total > 0u && total < length) {
    var near = to + nearBelow;
    var beyond = to + total + first - nearBelow;
    for (var i = first; i < end; i++) {
      let member = order[members + memberOf(i, every, all)];
      if (member < BEYOND) {
        order[near] = member;
        near++;
      } else {
        order[beyond] = member & ~BEYOND;
        beyond++;
      }
    }
  }
  storageBarrier();
  return total;
}

// `memberOfPart`, without a division where each member is a part.
fn memberOf(at: u32, every: u32, count: u32) -> u32 {
  if (every == 1u) {
    return at;
  }
  return memberOfPart(at, every, count);
}

// Copies the members of a cluster with a mean from one place to another, the near ones in front, and returns how many these are: 0 if
// they cannot be told apart, and then what is copied means nothing. Leaves the hyperplane.
fn cutInTwo(head: u32, members: u32, to: u32, length: u32, mean: u32, normal: u32, local: u32) -> u32 {
  let count = parameters.count;
  let columns = parameters.columns;
  let origin = normal + columns;
  let stride = strideFor(length, PIVOT_CANDIDATES);
  var weighted = -1.0;
  var candidate = 0u;
  for (var i = local; i < PIVOT_CANDIDATES && i * stride < length; i += LANES) {
    let row = head * count + (order[members + memberOfPart(i, stride, length)] & ~BEYOND);
    let found = weights[row] * squareOf(row * columns, mean);
    if (found > weighted) {
      weighted = found;
      candidate = i;
    }
  }
  let farthest = u32(largestOfLanes(weighted, candidate, local).y);
  let pivot = order[members + memberOfPart(farthest, stride, length)] & ~BEYOND;
  for (var c = local; c < columns; c += LANES) {
    let centre = means[mean + c];
    means[normal + c] = rows[(head * count + pivot) * columns + c] - centre;
    means[origin + c] = centre;
  }
  storageBarrier();
  let sampled = stridedCount(length, CUT_SAMPLE);
  let sampledNear = separate(head, normal, members, length, strideFor(length, CUT_SAMPLE), to, local);
  if (sampledNear == 0u || sampledNear == sampled) {
    return 0u;
  }
  // The means of the two halves of the sample stand for a moment where the hyperplane will.
  _ = meanOf(head, to, sampledNear, normal, local);
  _ = meanOf(head, to + sampledNear, sampled - sampledNear, origin, local);
  storageBarrier();
  for (var c = local; c < columns; c += LANES) {
    let here = means[normal + c];
    let there = means[origin + c];
    means[normal + c] = there - here;
    means[origin + c] = 0.5 * (here + there);
  }
  storageBarrier();
  return separate(head, normal, members, length, 1u, to, local) % length;
}
