// Clusters of rows by weighted bisection, a tree grown by one workgroup for each head: see `Backend.bisectRows`. Behind
// reductions.wgsl and bisection_tree.wgsl.
// Defined in front: AHEAD, turns of a loop that are written out.

@group(0) @binding(5) var<storage, read> weights: array<f32>; // (heads, count) f32
@group(0) @binding(6) var<storage, read_write> clusters: array<u32>; // (heads) u32
@group(0) @binding(7) var<storage, read_write> products: array<u32>; // (heads) u32
// (heads, count + most + 1) f32: weight · squared distance of the rows; scatters of the clusters; the scatter that ends the cutting.
@group(0) @binding(8) var<storage, read_write> moments: array<f32>;

const BEYOND = 0x80000000u;
var<workgroup> partial: array<vec4f, LANES>;
var<workgroup> partialTotals: array<vec2f, LANES>;
// What all lanes must agree on.
var<workgroup> agreed: u32;

// <row − origin, normal>. The difference comes first: a mean that one heavy row dominates lies so close to it that rounded
// inner products could not tell them apart.
fn sideOf(row: u32, normal: u32) -> f32 {
  let columns = parameters.columns;
  var sums = vec4f(0.0);
  for (var first = 0u; first < columns; first += AHEAD) {
    for (var step = 0u; step < AHEAD; step++) {
      let c = first + step;
      if (c < columns) {
        sums = fma(rows[row + c] - means[normal + columns + c], means[normal + c], sums);
      }
    }
  }
  return (sums.x + sums.y) + (sums.z + sums.w);
}

fn strideFor(length: u32, most: u32) -> u32 {
  return (length + most - 1u) / most;
}

fn stridedCount(length: u32, most: u32) -> u32 {
  return strideFor(length, strideFor(length, most));
}

fn agreeOn(value: u32, local: u32) -> u32 {
  if (local == 0u) {
    agreed = value;
  }
  return workgroupUniformLoad(&agreed);
}

// Mean of `length` members from a place in the order on, as that of a cluster; returns their weight and that of their moments to the
// lanes that hold columns of the mean, with the square of what these are off the mean of all.
fn meanOf(head: u32, label: u32, start: u32, length: u32, local: u32) -> vec3f {
  let count = parameters.count;
  let columns = parameters.columns;
  let own = ordersOf(head);
  let state = head * (count + parameters.most + 1u);
  let mean = vectorsOf(head) + label * columns;
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
        for (var step = 0u; step < AHEAD; step++) {
          let i = next + step * parts;
          if (i < length) {
            let row = order[own + start + i];
            let weight = weights[head * count + row];
            sum = fma(vec4f(weight), rows[(head * count + row) * columns + column], sum);
            if (first == 0u) {
              found += vec2f(weight, moments[state + row]);
            }
          }
        }
      }
    }
    partial[local] = sum;
    partialTotals[local] = found;
    workgroupBarrier();
    if (part == 0u && column < columns) {
      for (var other = 1u; other < parts; other++) {
        sum += partial[other * wide + local];
        if (first == 0u) {
          found += partialTotals[other * wide + local];
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

// Mean, scatter and place of a cluster.
fn measure(head: u32, label: u32, start: u32, length: u32, local: u32) {
  let found = meanOf(head, label, start, length, local);
  let square = sumOfLanes(vec2f(found.z, 0.0), local).x;
  if (local == 0u) {
    // One row has no scatter, only rounding.
    let scatter = select(0.0, found.y - found.x * square, length > 1u);
    moments[head * (parameters.count + parameters.most + 1u) + parameters.count + label] = scatter;
    let place = placeOf(head, label);
    order[place] = start;
    order[place + 1u] = length;
  }
  storageBarrier();
}

// Copies members, those on the near side of the hyperplane in front of those beyond it, in their old order, and returns how many are
// near; copies nothing if a side is empty.
fn separate(head: u32, normal: u32, members: u32, to: u32, length: u32, local: u32) -> u32 {
  let count = parameters.count;
  let columns = parameters.columns;
  // Each lane takes a run of members, so that one prefix sum tells where they go.
  let run = (length + LANES - 1u) / LANES;
  let first = min(local * run, length);
  let end = min(first + run, length);
  var nearCount = 0u;
  for (var i = first; i < end; i++) {
    let row = order[members + i] & ~BEYOND;
    let near = sideOf((head * count + row) * columns, normal) <= 0.0;
    nearCount += select(0u, 1u, near);
    order[members + i] = select(row | BEYOND, row, near);
  }
  let nearBelow = sumBelow(nearCount, local);
  let total = workgroupUniformLoad(&sumOfAll);
  if (total > 0u && total < length) {
    var near = to + nearBelow;
    var beyond = to + total + first - nearBelow;
    for (var i = first; i < end; i++) {
      let member = order[members + i];
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

// Enters a cut as the last one of the cluster that it cuts.
fn noteCut(head: u32, near: u32, cut: u32) {
  order[cutsOf(head, cut)] = 0u;
  order[cutsOf(head, cut) + 1u] = 0u;
  var last = cutsOf(head, near);
  while (order[last] != 0u) {
    last = cutsOf(head, order[last]) + 1u;
  }
  order[last] = cut;
}

// The state of a head after no cut.
@compute @workgroup_size(LANES)
fn begin(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let head = workgroup.x + workgroup.y * workgroups.x;
  if (head >= parameters.heads) {
    return;
  }
  let count = parameters.count;
  let columns = parameters.columns;
  let state = head * (count + parameters.most + 1u);
  for (var i = local; i < parameters.grown; i += LANES) {
    let row = i * parameters.every;
    order[ordersOf(head) + i] = row;
    labels[head * count + row] = 0u;
  }
  storageBarrier();
  // Moments are about the mean of all: squared norms of rows far from 0 would drown what lies between these. The scatter
  // that comes with that mean means nothing yet.
  let centre = centreOf(head);
  measure(head, 0u, 0u, parameters.grown, local);
  for (var c = local; c < columns; c += LANES) {
    means[centre + c] = means[vectorsOf(head) + c];
  }
  storageBarrier();
  for (var i = local; i < parameters.grown; i += LANES) {
    let row = i * parameters.every;
    var squares = vec4f(0.0);
    for (var first = 0u; first < columns; first += AHEAD) {
      for (var step = 0u; step < AHEAD; step++) {
        if (first + step < columns) {
          let difference = rows[(head * count + row) * columns + first + step] - means[centre + first + step];
          squares = fma(difference, difference, squares);
        }
      }
    }
    moments[state + row] = weights[head * count + row] * ((squares.x + squares.y) + (squares.z + squares.w));
  }
  storageBarrier();
  measure(head, 0u, 0u, parameters.grown, local);
  if (local == 0u) {
    moments[state + count + parameters.most] = NEGLIGIBLE_SCATTER * moments[state + count];
    order[cutsOf(head, 0u)] = 0u;
    order[cutsOf(head, 0u) + 1u] = 0u;
    clusters[head] = 1u;
    products[head] = 0u;
  }
}

@compute @workgroup_size(LANES)
fn cutOn(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let head = workgroup.x + workgroup.y * workgroups.x;
  if (head >= parameters.heads) {
    return;
  }
  let count = parameters.count;
  let columns = parameters.columns;
  let own = ordersOf(head);
  let members = own + parameters.grown;
  let sample = cutsOf(head, parameters.most);
  let state = head * (count + parameters.most + 1u);
  let vectors = vectorsOf(head);
  let negligible = moments[state + count + parameters.most];

  var made = agreeOn(clusters[head], local);
  var spent = agreeOn(products[head], local);
  let enough = spent + parameters.work;
  for (var done = 0u; done < parameters.cuts; done++) {
    var most = -1.0;
    var widestHere = 0u;
    for (var label = local; label < made; label += LANES) {
      let scatter = moments[state + count + label];
      if (scatter > most) {
        most = scatter;
        widestHere = label;
      }
    }
    let widest = u32(largestOfLanes(most, widestHere, local).y);
    let start = order[placeOf(head, widest)];
    var length = order[placeOf(head, widest) + 1u];
    let cost = length * parameters.every + stridedCount(length, CUT_SAMPLE) + stridedCount(length, PIVOT_CANDIDATES);
    let used = spent + made * parameters.perCluster;
    let left = max(parameters.budget, used) - used;
    let affordable = left >= parameters.perCluster && left - parameters.perCluster >= cost;
    let further = affordable && spent < enough && moments[state + count + widest] > negligible;
    length = agreeOn(select(0u, length, further), local);
    if (length == 0u) {
      break;
    }
    let sampled = stridedCount(length, CUT_SAMPLE);
    spent += cost;

    let normal = normalOf(head, made);
    let origin = normal + columns;
    let sampleStride = strideFor(length, CUT_SAMPLE);
    for (var i = local; i < length; i += LANES) {
      let row = order[own + start + i];
      order[members + i] = row;
      if (i % sampleStride == 0u) {
        order[sample + i / sampleStride] = row;
      }
    }
    storageBarrier();
    let stride = strideFor(length, PIVOT_CANDIDATES);
    var weighted = -1.0;
    var candidate = 0u;
    for (var i = local; i < PIVOT_CANDIDATES && i * stride < length; i += LANES) {
      let row = order[members + i * stride];
      var squares = vec4f(0.0);
      for (var c = 0u; c < columns; c++) {
        let difference = rows[(head * count + row) * columns + c] - means[vectors + widest * columns + c];
        squares = fma(difference, difference, squares);
      }
      let found = weights[head * count + row] * ((squares.x + squares.y) + (squares.z + squares.w));
      if (found > weighted) {
        weighted = found;
        candidate = i;
      }
    }
    let pivot = order[members + stride * u32(largestOfLanes(weighted, candidate, local).y)];
    for (var c = local; c < columns; c += LANES) {
      let mean = means[vectors + widest * columns + c];
      means[normal + c] = rows[(head * count + pivot) * columns + c] - mean;
      means[origin + c] = mean;
    }
    storageBarrier();
    var near = separate(head, normal, sample, sample + CUT_SAMPLE, sampled, local);
    if (near > 0u && near < sampled) {
      // The means of the two halves of the sample stand for a moment where those of the two clusters will.
      let sorted = sample + CUT_SAMPLE - own;
      _ = meanOf(head, widest, sorted, near, local);
      _ = meanOf(head, made, sorted + near, sampled - near, local);
      storageBarrier();
      for (var c = local; c < columns; c += LANES) {
        let here = means[vectors + widest * columns + c];
        let there = means[vectors + made * columns + c];
        means[normal + c] = there - here;
        means[origin + c] = 0.5 * (here + there);
      }
      storageBarrier();
      near = separate(head, normal, members, own + start, length, local);
    } else {
      near = 0u;
    }
    if (near > 0u && near < length) {
      measure(head, widest, start, near, local);
      measure(head, made, start + near, length - near, local);
      for (var i = near + local; i < length; i += LANES) {
        labels[head * count + order[own + start + i]] = made;
      }
      if (local == 0u) {
        noteCut(head, widest, made);
      }
      storageBarrier();
      made++;
    } else {
      if (local == 0u) {
        moments[state + count + widest] = 0.0;
      }
      storageBarrier();
    }
  }
  if (local == 0u) {
    clusters[head] = made;
    products[head] = spent;
  }
}
