// Cuts clusters of rows level by level, all of a level at once, a workgroup each, ahead of knowing which the budget pays for: the widest
// come first, and no part of a cluster is wider than it, so that a cluster is cut unless wider ones among those known by now use up
// the budget. adopt_cuts.wgsl then takes over the cuts that are made one after another in `Backend.bisectRows`. Behind
// reductions.wgsl, bisection_tree.wgsl and cut_cluster.wgsl.
// parameters.levels: levels that are cut; nodes: clusters and parts of them that there is room for; level: that of this dispatch.

// (heads, levels + 1) u32: nodes of each level; the first has one.
@group(0) @binding(7) var<storage, read_write> counters: array<atomic<u32>>;

// Sums of costs are rounded: clusters at the edge of the budget are cut to be sure.
const SLACK = 0.9999;

// Nodes in front of a level, and those up to its end.
fn nodesBefore(head: u32, level: u32) -> vec2u {
  // What stands for the first level means nothing.
  var known = vec2u(min(level, 1u), 1u);
  for (var next = 1u; next <= level; next += AHEAD) {
    var found: array<u32, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      found[step] = atomicLoad(&counters[head * (parameters.levels + 1u) + min(next + step, level)]);
    }
    for (var step = 0u; step < AHEAD; step++) {
      known += found[step] * select(vec2u(0u), vec2u(1u), vec2u(next + step) < vec2u(level, level + 1u));
    }
  }
  return known;
}

fn enterNode(node: u32, start: u32, length: u32, parent: u32, scatter: f32, most: f32) {
  order[node] = bitcast<u32>(min(scatter, most));
  order[node + 1u] = start;
  order[node + 2u] = length;
  order[node + 3u] = UNCUT;
  order[node + 5u] = parent;
  order[node + 6u] = bitcast<u32>(scatter);
  order[node + 11u] = costOf(length);
}

@compute @workgroup_size(LANES)
fn cutLevel(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = workgroup.x + workgroup.y * workgroups.x;
  let head = place % parameters.heads;
  let number = place / parameters.heads;
  let level = parameters.level;
  let nodes = nodesBefore(head, level);
  let known = min(nodes.y, parameters.nodes);
  let own = nodes.x + number;
  if (agreeOn(select(0u, 1u, own < known), local) == 0u) {
    return;
  }
  let node = nodeOf(head, own);
  // Loaded side by side.
  let key = bitcast<f32>(order[node]);
  let start = order[node + 1u];
  let size = order[node + 2u];
  let cost = f32(order[node + 11u]);
  let negligible = moments[head * (parameters.count + parameters.most + 1u) + parameters.count + parameters.most];
  var wider = vec2f(0.0);
  for (var next = local; next < known; next += AHEAD * LANES) {
    var keys: array<f32, AHEAD>;
    var costs: array<u32, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      let at = nodeOf(head, min(next + step * LANES, known - 1u));
      keys[step] = bitcast<f32>(order[at]);
      costs[step] = order[at + 11u];
    }
    for (var step = 0u; step < AHEAD; step++) {
      let isWider = keys[step] > key && next + step * LANES < known;
      wider += select(vec2f(0.0), vec2f(1.0, f32(costs[step])), isWider);
    }
  }
  let before = sumOfLanes(wider, local);
  let total = before.y + cost + (before.x + 2.0) * f32(parameters.perCluster);
  let isWanted = SLACK * total <= f32(parameters.budget) && key > negligible;
  let length = agreeOn(select(0u, size, isWanted), local);
  if (level == 0u && local == 0u) {
    for (var next = 1u; next <= parameters.levels; next++) {
      atomicStore(&counters[head * (parameters.levels + 1u) + next], 0u);
    }
  }
  if (length == 0u) {
    return;
  }

  let mean = nodeVectors(head, own);
  let to = levelOf(head, level + 1u) + start;
  let near = cutInTwo(head, levelOf(head, level) + start, to, length, mean, mean + parameters.columns, local);
  if (near == 0u) {
    if (local == 0u) {
      order[node + 3u] = FAILED;
    }
    return;
  }
  var offset = 0u;
  if (local == 0u) {
    offset = atomicAdd(&counters[head * (parameters.levels + 1u) + level + 1u], 2u);
  }
  let child = agreeOn(nodes.y + offset, local);
  // Without room for its parts a cluster stays uncut.
  if (child + 2u > parameters.nodes) {
    return;
  }
  let parent = 2u * own;
  let scatters = measure(head, to, near, length, nodeVectors(head, child), nodeVectors(head, child + 1u), local);
  if (local == 0u) {
    enterNode(nodeOf(head, child), start, near, parent, scatters.x, key);
    enterNode(nodeOf(head, child + 1u), start + near, length - near, parent + 1u, scatters.y, key);
    order[node + 3u] = CUT;
    order[node + 4u] = child;
  }
}
