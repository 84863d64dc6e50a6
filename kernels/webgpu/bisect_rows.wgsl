// Clusters of rows by weighted bisection, one workgroup a head: see `Backend.bisectRows`.
// parameters.heads, count: shape of `weights`; columns: vec4s of a row; most: clusters that there is room for;
// budget, perCluster: when to end; cuts, work: cuts and inner products after which a dispatch leaves the rest to the next one.
// Defined in front: FOUR = 4.

struct Parameters {
  heads: u32,
  count: u32,
  columns: u32,
  most: u32,
  budget: u32,
  perCluster: u32,
  cuts: u32,
  work: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> rows: array<vec4f>; // (heads, count, 4 columns) f32
@group(0) @binding(2) var<storage, read> weights: array<f32>; // (heads, count) f32
@group(0) @binding(3) var<storage, read_write> labels: array<u32>; // (heads, count) u32
@group(0) @binding(4) var<storage, read_write> clusters: array<u32>; // (heads) u32
@group(0) @binding(5) var<storage, read_write> products: array<u32>; // (heads) u32
// (heads, 2 count + 2 most + 2 CUT_SAMPLE) u32: rows, those of a cluster side by side; the members of the cluster that is being
// cut, with BEYOND set on those beyond the hyperplane; first places and lengths of the clusters; the sample, as members and sorted.
@group(0) @binding(6) var<storage, read_write> order: array<u32>;
// (heads, most + 2, 4 columns) f32: means of the clusters; normal and origin of the hyperplane.
@group(0) @binding(7) var<storage, read_write> means: array<vec4f>;
// (heads, count + most + 1) f32: weight · squared norm of the rows; scatters of the clusters; the scatter that ends the cutting.
@group(0) @binding(8) var<storage, read_write> moments: array<f32>;

// At least PIVOT_CANDIDATES.
override LANES: u32;

const BEYOND = 0x80000000u;
// PIVOT_CANDIDATES, CUT_SAMPLE and NEGLIGIBLE_SCATTER of coreset_primitives.ts.
const PIVOT_CANDIDATES = 16u;
const CUT_SAMPLE = 96u;
const NEGLIGIBLE_SCATTER = 1.0 / 1048576.0;

var<workgroup> partial: array<vec4f, LANES>;
var<workgroup> counts: array<u32, LANES>;
// What all lanes must agree on.
var<workgroup> agreed: u32;

// First word of a head in `order`.
fn ordersOf(head: u32) -> u32 {
  return head * 2u * (parameters.count + parameters.most + CUT_SAMPLE);
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

fn sumOfLanes(own: vec4f, local: u32) -> vec4f {
  partial[local] = own;
  workgroupBarrier();
  for (var distance = LANES / 2u; distance > 0u; distance /= 2u) {
    if (local < distance) {
      partial[local] += partial[local + distance];
    }
    workgroupBarrier();
  }
  let total = partial[0];
  workgroupBarrier();
  return total;
}

// The number, below 2^24, that comes with the largest value; the smallest such number.
fn largestOfLanes(value: f32, number: u32, local: u32) -> u32 {
  partial[local] = vec4f(value, f32(number), 0.0, 0.0);
  workgroupBarrier();
  for (var distance = LANES / 2u; distance > 0u; distance /= 2u) {
    if (local < distance) {
      let own = partial[local];
      let other = partial[local + distance];
      if (other.x > own.x || (other.x == own.x && other.y < own.y)) {
        partial[local] = other;
      }
    }
    workgroupBarrier();
  }
  let found = u32(partial[0].y);
  workgroupBarrier();
  return found;
}

// <row − origin, normal>. The difference comes first: a mean that one heavy row dominates lies so close to it that rounded
// inner products could not tell them apart.
fn sideOf(row: u32, normal: u32) -> f32 {
  let columns = parameters.columns;
  var sums = vec4f(0.0);
  for (var first = 0u; first < columns; first += FOUR) {
    for (var step = 0u; step < FOUR; step++) {
      let c = first + step;
      if (c < columns) {
        sums = fma(rows[row + c] - means[normal + columns + c], means[normal + c], sums);
      }
    }
  }
  return (sums.x + sums.y) + (sums.z + sums.w);
}

// Mean and scatter of `length` members from a place in the order on; returns the sum of their moments.
fn measure(head: u32, label: u32, start: u32, length: u32, local: u32) -> f32 {
  let count = parameters.count;
  let columns = parameters.columns;
  let own = ordersOf(head);
  let state = head * (count + parameters.most + 1u);
  var sums = vec4f(0.0);
  for (var i = local; i < length; i += LANES) {
    let row = order[own + start + i];
    sums += vec4f(weights[head * count + row], moments[state + row], 0.0, 0.0);
  }
  let totals = sumOfLanes(sums, local);
  let mean = (head * (parameters.most + 2u) + label) * columns;
  let wide = min(columns, LANES);
  let parts = LANES / wide;
  let part = local / wide;
  var squared = 0.0;
  for (var first = 0u; first < columns; first += wide) {
    let column = first + local % wide;
    var sum = vec4f(0.0);
    if (part < parts && column < columns) {
      for (var next = part; next < length; next += FOUR * parts) {
        for (var step = 0u; step < FOUR; step++) {
          let i = next + step * parts;
          if (i < length) {
            let row = head * count + order[own + start + i];
            sum = fma(vec4f(weights[row]), rows[row * columns + column], sum);
          }
        }
      }
    }
    partial[local] = sum;
    workgroupBarrier();
    if (part == 0u && column < columns) {
      for (var other = 1u; other < parts; other++) {
        sum += partial[other * wide + local];
      }
      sum /= totals.x;
      means[mean + column] = sum;
      squared += dot(sum, sum);
    }
    workgroupBarrier();
  }
  let square = sumOfLanes(vec4f(squared, 0.0, 0.0, 0.0), local).x;
  if (local == 0u) {
    // One row has no scatter, only rounding.
    moments[state + count + label] = select(0.0, totals.y - totals.x * square, length > 1u);
    order[own + 2u * count + 2u * label] = start;
    order[own + 2u * count + 2u * label + 1u] = length;
  }
  storageBarrier();
  return totals.y;
}

// Copies members, those on the near side of the hyperplane in front of those beyond it, in their old order, and returns how many are
// near; copies nothing if a side is empty.
fn separate(head: u32, members: u32, to: u32, length: u32, local: u32) -> u32 {
  let count = parameters.count;
  let columns = parameters.columns;
  let normal = (head * (parameters.most + 2u) + parameters.most) * columns;
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
  counts[local] = nearCount;
  workgroupBarrier();
  for (var distance = 1u; distance < LANES; distance *= 2u) {
    var below = 0u;
    if (local >= distance) {
      below = counts[local - distance];
    }
    workgroupBarrier();
    counts[local] += below;
    workgroupBarrier();
  }
  let total = counts[LANES - 1u];
  if (total > 0u && total < length) {
    var near = to + counts[local] - nearCount;
    var beyond = to + total + first - (counts[local] - nearCount);
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
  workgroupBarrier();
  return total;
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
  for (var row = local; row < count; row += LANES) {
    var squares = vec4f(0.0);
    for (var first = 0u; first < columns; first += FOUR) {
      for (var step = 0u; step < FOUR; step++) {
        if (first + step < columns) {
          let x = rows[(head * count + row) * columns + first + step];
          squares = fma(x, x, squares);
        }
      }
    }
    moments[head * (count + parameters.most + 1u) + row] =
      weights[head * count + row] * ((squares.x + squares.y) + (squares.z + squares.w));
    order[ordersOf(head) + row] = row;
    labels[head * count + row] = 0u;
  }
  storageBarrier();
  let moment = measure(head, 0u, 0u, count, local);
  if (local == 0u) {
    moments[head * (count + parameters.most + 1u) + count + parameters.most] = NEGLIGIBLE_SCATTER * moment;
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
  let members = own + count;
  let sample = own + 2u * (count + parameters.most);
  let state = head * (count + parameters.most + 1u);
  let vectors = head * (parameters.most + 2u) * columns;
  let normal = vectors + parameters.most * columns;
  let origin = normal + columns;
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
    let widest = agreeOn(largestOfLanes(most, widestHere, local), local);
    let start = agreeOn(order[own + 2u * count + 2u * widest], local);
    let length = agreeOn(order[own + 2u * count + 2u * widest + 1u], local);
    let sampled = stridedCount(length, CUT_SAMPLE);
    let cost = length + sampled + stridedCount(length, PIVOT_CANDIDATES);
    let used = spent + made * parameters.perCluster;
    let left = max(parameters.budget, used) - used;
    let affordable = left >= parameters.perCluster && left - parameters.perCluster >= cost;
    let further = affordable && spent < enough && moments[state + count + widest] > negligible;
    if (agreeOn(select(0u, 1u, further), local) == 0u) {
      break;
    }
    spent += cost;

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
    if (local < PIVOT_CANDIDATES && local * stride < length) {
      let row = order[members + local * stride];
      var squares = vec4f(0.0);
      for (var c = 0u; c < columns; c++) {
        let difference = rows[(head * count + row) * columns + c] - means[vectors + widest * columns + c];
        squares = fma(difference, difference, squares);
      }
      weighted = weights[head * count + row] * ((squares.x + squares.y) + (squares.z + squares.w));
    }
    let pivot = order[members + stride * largestOfLanes(weighted, local, local)];
    for (var c = local; c < columns; c += LANES) {
      let mean = means[vectors + widest * columns + c];
      means[normal + c] = rows[(head * count + pivot) * columns + c] - mean;
      means[origin + c] = mean;
    }
    storageBarrier();
    var near = agreeOn(separate(head, sample, sample + CUT_SAMPLE, sampled, local), local);
    if (near > 0u && near < sampled) {
      // The means of the two halves of the sample stand for a moment where those of the two clusters will.
      let sorted = sample + CUT_SAMPLE - own;
      _ = measure(head, widest, sorted, near, local);
      _ = measure(head, made, sorted + near, sampled - near, local);
      for (var c = local; c < columns; c += LANES) {
        let here = means[vectors + widest * columns + c];
        let there = means[vectors + made * columns + c];
        means[normal + c] = there - here;
        means[origin + c] = 0.5 * (here + there);
      }
      storageBarrier();
      near = agreeOn(separate(head, members, own + start, length, local), local);
    } else {
      near = 0u;
    }
    if (near > 0u && near < length) {
      _ = measure(head, widest, start, near, local);
      _ = measure(head, made, start + near, length - near, local);
      for (var i = near + local; i < length; i += LANES) {
        labels[head * count + order[own + start + i]] = made;
      }
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
