// Takes over cuts that cut_levels.wgsl made, those that come one after another in `Backend.bisectRows`, up to the first one that was not
// made or whose turn is not certain: bisect_rows.wgsl goes on from there. Behind reductions.wgsl and bisection_tree.wgsl.
// Defined in front: AHEAD, nodes that a lane loads at a time.

@group(0) @binding(5) var<storage, read_write> moments: array<f32>; // (heads, count + most + 1) f32, see cut_cluster.wgsl
@group(0) @binding(6) var<storage, read_write> clusters: array<u32>; // (heads) u32
@group(0) @binding(7) var<storage, read_write> products: array<u32>; // (heads) u32
@group(0) @binding(8) var<storage, read> counters: array<u32>; // (heads, levels + 1) u32, see cut_levels.wgsl

var<workgroup> agreed: u32;

fn agreeOn(value: u32, local: u32) -> u32 {
  if (local == 0u) {
    agreed = value;
  }
  return workgroupUniformLoad(&agreed);
}

// More than there are nodes.
const TIE = 8192u;

fn nodesOf(head: u32) -> u32 {
  var known = 1u;
  for (var next = 1u; next <= parameters.levels; next += AHEAD) {
    var found: array<u32, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      found[step] = counters[head * (parameters.levels + 1u) + min(next + step, parameters.levels)];
    }
    for (var step = 0u; step < AHEAD; step++) {
      known += select(0u, found[step], next + step <= parameters.levels);
    }
  }
  return min(known, parameters.nodes);
}

fn isCut(node: u32, stop: u32) -> bool {
  return order[node + 7u] < stop && order[node + 3u] == CUT;
}

// When a node is cut, and whether it is. A node a workgroup.
@compute @workgroup_size(LANES)
fn rankNodes(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = workgroup.x + workgroup.y * workgroups.x;
  let head = place % parameters.heads;
  let own = place / parameters.heads;
  let known = nodesOf(head);
  if (agreeOn(select(0u, 1u, own < known), local) == 0u) {
    return;
  }
  let node = nodeOf(head, own);
  let key = bitcast<f32>(order[node]);
  let parent = order[node + 5u] / 2u;
  var rank = 0u;
  var made = 0u;
  var spent = 0u;
  var ties = 0u;
  for (var next = local; next < known; next += AHEAD * LANES) {
    var keys: array<f32, AHEAD>;
    var costs: array<u32, AHEAD>;
    var states: array<u32, AHEAD>;
    var parents: array<u32, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      let at = nodeOf(head, min(next + step * LANES, known - 1u));
      keys[step] = bitcast<f32>(order[at]);
      costs[step] = order[at + 11u];
      states[step] = order[at + 3u];
      parents[step] = order[at + 5u] / 2u;
    }
    for (var step = 0u; step < AHEAD; step++) {
      let other = next + step * LANES;
      let isOther = other < known && other != own;
      let isParent = other == parent;
      // Only a part of a cluster may be as wide as another one, by rounding, and is cut right behind it.
      let isBefore = isOther && (keys[step] > key || (keys[step] == key && isParent));
      ties += select(0u, 1u, isOther && keys[step] == key && !isParent && parents[step] != own);
      rank += select(0u, 1u, isBefore);
      made += select(0u, 1u, isBefore && states[step] == CUT);
      spent += select(0u, costs[step], isBefore);
    }
  }
  // Fewer than 2^24 in all, so that floats are exact.
  let numbers = sumOfLanes(vec2f(f32(rank), f32(made + TIE * min(ties, 1u))), local);
  sumBelow(spent, local);
  spent = workgroupUniformLoad(&sumOfAll);
  rank = u32(numbers.x);
  made = u32(numbers.y) % TIE + 1u;
  if (local == 0u) {
    let negligible = moments[head * (parameters.count + parameters.most + 1u) + parameters.count + parameters.most];
    let isDue = key > negligible && isAffordable(spent, made, order[node + 2u]);
    order[node + 7u] = rank;
    order[node + 8u] = spent;
    order[node + 9u] = made;
    order[node + 10u] = select(0u, 1u, isDue && numbers.y < f32(TIE) && order[node + 3u] != UNCUT);
  }
}

// The state of a head after these cuts. A node a workgroup.
@compute @workgroup_size(LANES)
fn adoptCuts(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = workgroup.x + workgroup.y * workgroups.x;
  let head = place % parameters.heads;
  let own = place / parameters.heads;
  let known = nodesOf(head);
  if (agreeOn(select(0u, 1u, own < known), local) == 0u) {
    return;
  }
  // The rank of the first that is not taken over; there is one, since what is not cut is none.
  var earliest = -f32(known);
  for (var next = local; next < known; next += AHEAD * LANES) {
    var ranks: array<u32, AHEAD>;
    var taken: array<u32, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      let at = nodeOf(head, min(next + step * LANES, known - 1u));
      ranks[step] = order[at + 7u];
      taken[step] = order[at + 10u];
    }
    for (var step = 0u; step < AHEAD; step++) {
      earliest = max(earliest, select(-f32(known), -f32(ranks[step]), taken[step] == 0u));
    }
  }
  let stop = u32(-largestOfLanes(earliest, 0u, local).x);

  let node = nodeOf(head, own);
  if (local == 0u && order[node + 10u] == 0u && order[node + 7u] == stop) {
    clusters[head] = order[node + 9u];
    products[head] = order[node + 8u];
  }
  let columns = parameters.columns;
  let parent = nodeOf(head, order[node + 5u] / 2u);
  if (own != 0u && !isCut(parent, stop)) {
    return;
  }
  let cut = select(0u, order[node + 9u], isCut(node, stop));
  if (local == 0u) {
    // The cut of this side in front of which its parent's came.
    let side = 1u - order[node + 5u] % 2u;
    order[select(cutsOf(head, order[parent + 9u]) + side, cutsOf(head, 0u), own == 0u)] = cut;
  }
  let mean = nodeVectors(head, own);
  if (cut != 0u) {
    for (var c = local; c < 2u * columns; c += LANES) {
      means[normalOf(head, cut) + c] = means[mean + columns + c];
    }
    return;
  }
  // A cluster has the number of the last cut beyond which it lies.
  var at = own;
  var level = 0u;
  var crossed = 0u;
  var isFound = false;
  while (at != 0u) {
    let link = order[nodeOf(head, at) + 5u];
    at = link / 2u;
    level++;
    crossed = select(crossed, at, !isFound && link % 2u == 1u);
    isFound = isFound || link % 2u == 1u;
  }
  let label = select(0u, order[nodeOf(head, crossed) + 9u], isFound);
  let start = order[node + 1u];
  let length = order[node + 2u];
  if (local == 0u) {
    let failed = order[node + 7u] < stop;
    let scatter = select(bitcast<f32>(order[node + 6u]), 0.0, failed);
    moments[head * (parameters.count + parameters.most + 1u) + parameters.count + label] = scatter;
    order[placeOf(head, label)] = start;
    order[placeOf(head, label) + 1u] = length;
  }
  for (var c = local; c < columns; c += LANES) {
    means[vectorsOf(head) + label * columns + c] = means[mean + c];
  }
  let members = levelOf(head, level) + start;
  for (var i = local; i < length; i += LANES) {
    let row = order[members + i] & ~BEYOND;
    order[ordersOf(head) + start + i] = row;
    labels[head * parameters.count + row] = label;
  }
}
