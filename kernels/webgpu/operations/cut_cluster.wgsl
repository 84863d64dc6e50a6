// How rows are cut in two, by a workgroup. Behind reductions.wgsl and bisection_tree.wgsl.
// Defined in front: SHARES, lanes that share a candidate for a pivot; STAGED, 1 where workgroup memory holds the hyperplane, which has no
// more columns than there are lanes, else 0; AHEAD, and SIDE_AHEAD for columns of a row beside a hyperplane, turns of a loop that are written out: what they load past the end is the last one again and counts 0, since
// compilers wait for loads in front of a branch.

@group(0) @binding(5) var<storage, read> weights: array<f32>; // (heads, count) f32
// (heads, count + most + 1) f32: weight · squared distance of the rows; scatters of the clusters; the scatter that ends the cutting.
@group(0) @binding(6) var<storage, read_write> moments: array<f32>;

var<workgroup> partial: array<vec4f, LANES>;
var<workgroup> partialFar: array<vec4f, LANES>;
var<workgroup> partialTotals: array<vec4f, LANES>;
// What all lanes must agree on.
var<workgroup> agreed: u32;

struct Halves {
  near: vec3f,
  far: vec3f,
}

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
  for (var first = 0u; first < columns; first += SIDE_AHEAD) {
    var own: array<vec4f, SIDE_AHEAD>;
    var origin: array<vec4f, SIDE_AHEAD>;
    var across: array<vec4f, SIDE_AHEAD>;
    for (var step = 0u; step < SIDE_AHEAD; step++) {
      let c = min(first + step, columns - 1u);
      own[step] = rows[row + c];
      if (STAGED == 0u) {
        origin[step] = means[normal + columns + c];
        across[step] = means[normal + c];
      }
    }
    for (var step = 0u; step < SIDE_AHEAD; step++) {
      if (STAGED == 1u) {
        let c = min(first + step, columns - 1u);
        origin[step] = partialFar[c];
        across[step] = partial[c];
      }
    }
    for (var step = 0u; step < SIDE_AHEAD; step++) {
      sums = fma(counts(first + step, columns) * (own[step] - origin[step]), across[step], sums);
    }
  }
  return (sums.x + sums.y) + (sums.z + sums.w);
}

// Squared distance of a row from a mean: what each so many-th column has of it.
fn squareOf(row: u32, mean: u32, share: u32, shares: u32) -> f32 {
  let columns = parameters.columns;
  var squares = vec4f(0.0);
  for (var first = share; first < columns; first += AHEAD * shares) {
    var own: array<vec4f, AHEAD>;
    var centre: array<vec4f, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      let c = min(first + step * shares, columns - 1u);
      own[step] = rows[row + c];
      centre[step] = means[mean + c];
    }
    for (var step = 0u; step < AHEAD; step++) {
      let difference = counts(first + step * shares, columns) * (own[step] - centre[step]);
      squares = fma(difference, difference, squares);
    }
  }
  return (squares.x + squares.y) + (squares.z + squares.w);
}

// Means of the members from a place in the order on: of the first `near`, and of the rest of `length`. Returns for each the weight, that
// of the moments, and to the lanes that hold columns of a mean the square of what these are off the mean of all.
fn meansOf(head: u32, members: u32, near: u32, length: u32, nearMean: u32, farMean: u32, local: u32) -> Halves {
  let count = parameters.count;
  let columns = parameters.columns;
  let state = head * (count + parameters.most + 1u);
  let centre = centreOf(head);
  let wide = min(columns, LANES);
  let parts = LANES / wide;
  let part = local / wide;
  var found = vec4f(0.0);
  var squared = vec2f(0.0);
  for (var first = 0u; first < columns; first += wide) {
    let column = first + local % wide;
    var sum = vec4f(0.0);
    var farSum = vec4f(0.0);
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
          let at = next + step * parts;
          let own = counts(at, length) * vec2f(weight[step], moment[step]);
          let counted = select(vec4f(0.0, 0.0, own), vec4f(own, 0.0, 0.0), at < near);
          sum = fma(vec4f(counted.x), value[step], sum);
          farSum = fma(vec4f(counted.z), value[step], farSum);
          if (first == 0u) {
            found += counted;
          }
        }
      }
    }
    partial[local] = sum;
    partialFar[local] = farSum;
    partialTotals[local] = found;
    workgroupBarrier();
    if (part == 0u && column < columns) {
      for (var next = 1u; next < parts; next += AHEAD) {
        var others: array<vec4f, AHEAD>;
        var othersFar: array<vec4f, AHEAD>;
        var othersFound: array<vec4f, AHEAD>;
        for (var step = 0u; step < AHEAD; step++) {
          let other = min(next + step, parts - 1u) * wide + local;
          others[step] = partial[other];
          othersFar[step] = partialFar[other];
          othersFound[step] = partialTotals[other];
        }
        for (var step = 0u; step < AHEAD; step++) {
          let own = counts(next + step, parts);
          sum += own * others[step];
          farSum += own * othersFar[step];
          if (first == 0u) {
            found += own * othersFound[step];
          }
        }
      }
      let ofAll = means[centre + column];
      sum /= found.x;
      means[nearMean + column] = sum;
      squared.x += dot(sum - ofAll, sum - ofAll);
      if (near < length) {
        farSum /= found.z;
        means[farMean + column] = farSum;
        squared.y += dot(farSum - ofAll, farSum - ofAll);
      }
    }
    workgroupBarrier();
  }
  return Halves(vec3f(found.xy, squared.x), vec3f(found.zw, squared.y));
}

// Means of such halves, and to the first lane their scatters.
fn measure(head: u32, members: u32, near: u32, length: u32, nearMean: u32, farMean: u32, local: u32) -> vec2f {
  let halves = meansOf(head, members, near, length, nearMean, farMean, local);
  let squares = sumOfLanes(vec2f(halves.near.z, halves.far.z), local);
  let scatters = vec2f(halves.near.y, halves.far.y) - vec2f(halves.near.x, halves.far.x) * squares;
  // One row has no scatter, only rounding.
  return select(vec2f(0.0), scatters, vec2u(near, length - near) > vec2u(1u));
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
  var row = 0u;
  for (var i = first; i < end; i++) {
    let place = members + memberOf(i, every, all);
    row = order[place] & ~BEYOND;
    let near = sideOf((head * count + row) * columns, normal) <= 0.0;
    nearCount += select(0u, 1u, near);
    order[place] = select(row | BEYOND, row, near);
  }
  let nearBelow = sumBelow(nearCount, local);
  let total = workgroupUniformLoad(&sumOfAll);
  if (total > 0u && total < length) {
    var near = to + nearBelow;
    var beyond = to + total + first - nearBelow;
    if (run == 1u && first < end) {
      order[select(beyond, near, nearCount == 1u)] = row;
    }
    for (var i = select(first, end, run == 1u); i < end; i++) {
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

fn placePlane(normal: u32, column: u32, across: vec4f, origin: vec4f) {
  means[normal + column] = across;
  means[normal + parameters.columns + column] = origin;
  if (STAGED == 1u) {
    partial[column] = across;
    partialFar[column] = origin;
  }
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
  let takers = LANES / SHARES;
  for (var i = local % takers; i < PIVOT_CANDIDATES && i * stride < length; i += takers) {
    let row = head * count + (order[members + memberOfPart(i, stride, length)] & ~BEYOND);
    let found = weights[row] * squareOf(row * columns, mean, local / takers, SHARES);
    if (found > weighted) {
      weighted = found;
      candidate = i;
    }
  }
  if (SHARES > 1u) {
    // Each lane has but one candidate then.
    partialTotals[local].x = weighted;
    workgroupBarrier();
    for (var share = 1u; share < SHARES; share++) {
      weighted += partialTotals[(local + share * takers) % LANES].x;
    }
  }
  let farthest = u32(largestOfLanes(weighted, candidate, local).y);
  let pivot = order[members + memberOfPart(farthest, stride, length)] & ~BEYOND;
  for (var c = local; c < columns; c += LANES) {
    let centre = means[mean + c];
    placePlane(normal, c, rows[(head * count + pivot) * columns + c] - centre, centre);
  }
  storageBarrier();
  workgroupBarrier();
  let sampled = stridedCount(length, CUT_SAMPLE);
  let sampledNear = separate(head, normal, members, length, strideFor(length, CUT_SAMPLE), to, local);
  if (sampledNear == 0u || sampledNear == sampled) {
    return 0u;
  }
  // The means of the two halves of the sample stand for a moment where the hyperplane will.
  _ = meansOf(head, to, sampledNear, sampled, normal, origin, local);
  storageBarrier();
  for (var c = local; c < columns; c += LANES) {
    let here = means[normal + c];
    let there = means[origin + c];
    placePlane(normal, c, there - here, 0.5 * (here + there));
  }
  storageBarrier();
  workgroupBarrier();
  return separate(head, normal, members, length, 1u, to, local) % length;
}
