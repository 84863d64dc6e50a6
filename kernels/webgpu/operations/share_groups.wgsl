// Weights of keys by how much the queries of a centre look at the groups they are in: see `Backend.tiltKeys`. Behind elementary.wgsl
// and reductions.wgsl.
// parameters.heads, centres, count: shapes; columns: vec4s of a row; groups: of a head; picks: queries of each centre.
// Defined in front: AHEAD, keys or columns that a lane loads at a time.

struct Parameters {
  heads: u32,
  centres: u32,
  count: u32,
  columns: u32,
  groups: u32,
  picks: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> rows: array<vec4f>; // (heads, count, 4 columns) f32, in the order of the tree
@group(0) @binding(2) var<storage, read> cuts: array<u32>; // (heads, count, 4) u32
@group(0) @binding(3) var<storage, read> weights: array<f32>; // (heads, centres, count) f32
@group(0) @binding(4) var<storage, read> offsets: array<vec4f>; // (heads, centres, picks, 4 columns) f32
// (heads, centres, groups, 4 columns + 4) f32: the mean of the rows of a group; their mass and the logarithm of their share.
@group(0) @binding(5) var<storage, read_write> means: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> ofQueries: array<vec2f>; // (heads, centres, picks, 2) f32: largest logit, sum of exponentials
@group(0) @binding(7) var<storage, read_write> byQueries: array<f32>; // (heads, centres, count) f32

// What lies in front of an end counts, what is loaded past it does not.
fn counted(weight: f32, at: u32, end: u32) -> f32 {
  return select(0.0, weight, AHEAD == 1u || at < end);
}

// Where a group begins: at 0, and where the largest node is cut of each further run of TREE_GROUP positions.
fn startOf(head: u32, group: u32) -> u32 {
  if (group == 0u) {
    return 0u;
  }
  if (group == parameters.groups) {
    return parameters.count;
  }
  var start = group * TREE_GROUP;
  var largest = 0u;
  let last = min(parameters.count, (group + 1u) * TREE_GROUP) - 1u;
  for (var first = group * TREE_GROUP; first <= last; first += AHEAD) {
    var sizes: array<u32, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      let node = 4u * (head * parameters.count + min(first + step, last));
      sizes[step] = cuts[node + 1u] - cuts[node];
    }
    // The last one again is no larger than itself.
    for (var step = 0u; step < AHEAD; step++) {
      start = select(start, first + step, sizes[step] > largest);
      largest = max(largest, sizes[step]);
    }
  }
  return start;
}

// A group of a centre per lane.
@compute @workgroup_size(64)
fn meanGroups(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let row = at / parameters.groups;
  if (row >= parameters.heads * parameters.centres) {
    return;
  }
  let head = row / parameters.centres;
  let group = at % parameters.groups;
  let begin = startOf(head, group);
  let end = startOf(head, group + 1u);
  let columns = parameters.columns;
  let ownRows = head * parameters.count * columns;
  let ownWeights = row * parameters.count;
  var mass = 0.0;
  for (var first = begin; first < end; first += AHEAD) {
    var own: array<f32, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      own[step] = weights[ownWeights + min(first + step, end - 1u)];
    }
    for (var step = 0u; step < AHEAD; step++) {
      mass += counted(own[step], first + step, end);
    }
  }
  var squares = vec4f(0.0);
  for (var column = 0u; column < columns; column++) {
    var mean = vec4f(0.0);
    if (mass > 0.0) {
      for (var first = begin; first < end; first += AHEAD) {
        var own: array<f32, AHEAD>;
        var ahead: array<vec4f, AHEAD>;
        for (var step = 0u; step < AHEAD; step++) {
          let j = min(first + step, end - 1u);
          own[step] = weights[ownWeights + j];
          ahead[step] = rows[ownRows + j * columns + column];
        }
        for (var step = 0u; step < AHEAD; step++) {
          mean = fma(vec4f(counted(own[step], first + step, end)), ahead[step], mean);
        }
      }
      mean /= mass;
      for (var first = begin; first < end; first += AHEAD) {
        var own: array<f32, AHEAD>;
        var ahead: array<vec4f, AHEAD>;
        for (var step = 0u; step < AHEAD; step++) {
          let j = min(first + step, end - 1u);
          own[step] = weights[ownWeights + j];
          ahead[step] = rows[ownRows + j * columns + column];
        }
        for (var step = 0u; step < AHEAD; step++) {
          let difference = ahead[step] - mean;
          squares = fma(counted(own[step], first + step, end) * difference, difference, squares);
        }
      }
    }
    means[at * (columns + 1u) + column] = mean;
  }
  var logShare = EMPTY;
  if (mass > 0.0) {
    logShare = logarithm(mass) + 0.5 * ((squares.x + squares.y) + (squares.z + squares.w)) / mass;
  }
  means[at * (columns + 1u) + columns] = vec4f(mass, logShare, 0.0, 0.0);
}

// How a query of a centre looks at a group of it.
fn logitOf(offset: u32, group: u32) -> f32 {
  let columns = parameters.columns;
  var products = vec4f(0.0);
  let share = means[group * (columns + 1u) + columns].y;
  for (var first = 0u; first < columns; first += AHEAD) {
    var own: array<vec4f, AHEAD>;
    var ahead: array<vec4f, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      let column = min(first + step, columns - 1u);
      own[step] = offsets[offset * columns + column];
      ahead[step] = means[group * (columns + 1u) + column];
    }
    for (var step = 0u; step < AHEAD; step++) {
      products = fma(counted(1.0, first + step, columns) * own[step], ahead[step], products);
    }
  }
  return share + ((products.x + products.y) + (products.z + products.w));
}

// A query per workgroup.
@compute @workgroup_size(LANES)
fn totalShares(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = workgroup.x + workgroup.y * workgroups.x;
  let row = at / parameters.picks;
  if (row >= parameters.heads * parameters.centres) {
    return;
  }
  var largestHere = EMPTY;
  var sum = 0.0;
  for (var group = local; group < parameters.groups; group += LANES) {
    let logit = logitOf(at, row * parameters.groups + group);
    if (logit > largestHere) {
      sum = fma(sum, exponential(max(largestHere - logit, -87.0)), 1.0);
      largestHere = logit;
    } else {
      sum += exponential(max(logit - largestHere, -87.0));
    }
  }
  let largest = largestOfLanes(largestHere, 0u, local).x;
  let total = sumOfLanes(vec2f(sum * exponential(max(largestHere - largest, -87.0)), 0.0), local).x;
  if (local == 0u) {
    ofQueries[at] = vec2f(largest, total);
  }
}

// A group of a centre per lane.
@compute @workgroup_size(64)
fn share(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let row = at / parameters.groups;
  if (row >= parameters.heads * parameters.centres) {
    return;
  }
  let mass = means[at * (parameters.columns + 1u) + parameters.columns].x;
  var squares = mass * mass;
  var factor = 0.0;
  if (mass > 0.0) {
    for (var pick = 0u; pick < parameters.picks; pick++) {
      let offset = row * parameters.picks + pick;
      let total = ofQueries[offset];
      let part = exponential(max(logitOf(offset, at) - total.x, -87.0)) / total.y;
      squares = fma(part, part, squares);
    }
    factor = sqrt(squares / f32(parameters.picks + 1u)) / mass;
  }
  let head = row / parameters.centres;
  let group = at % parameters.groups;
  let end = startOf(head, group + 1u);
  for (var first = startOf(head, group); first < end; first += AHEAD) {
    var own: array<f32, AHEAD>;
    // Compilers would bring loads behind a branch around the stores: past the end the last key is stored again.
    for (var step = 0u; step < AHEAD; step++) {
      own[step] = weights[row * parameters.count + min(first + step, end - 1u)];
    }
    for (var step = 0u; step < AHEAD; step++) {
      byQueries[row * parameters.count + min(first + step, end - 1u)] = factor * own[step];
    }
  }
}
