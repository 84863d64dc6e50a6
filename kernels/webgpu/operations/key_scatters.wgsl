// What cutting a node of a tree gains for each centre: see `Backend.tiltKeys`. Behind reductions.wgsl.
// parameters.heads, centres, count: shapes; columns: vec4s of a row; windows: runs of WINDOW places per head. Defined in front: GROUP,
// lanes that share a node of few rows, a column each.
// Scatters are sums of squares about the mean: differences of sums from the first key on would lose most of what is small.

struct Parameters {
  heads: u32,
  centres: u32,
  count: u32,
  columns: u32,
  windows: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> rows: array<vec4f>; // (heads, count, 4 columns) f32, in the order of the tree
@group(0) @binding(2) var<storage, read> cuts: array<u32>; // (heads, count, 4) u32
@group(0) @binding(3) var<storage, read> weights: array<f32>; // (heads, centres, count) f32
// (heads, centres, windows, 4 columns + 4) f32: the mean of the rows in a window; their mass and their scatter.
@group(0) @binding(4) var<storage, read_write> windows: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> parents: array<u32>; // (heads, count) u32: the cut of the node that a node is a side of, or 0
@group(0) @binding(6) var<storage, read_write> scatters: array<f32>; // (heads, centres, count) f32
@group(0) @binding(7) var<storage, read_write> gains: array<f32>; // (heads, centres, count) f32

// Lanes, and places of a workgroup.
const WINDOW = 64u;

var<workgroup> parts: array<f32, WINDOW * GROUP>;
var<workgroup> sums: array<vec4f, WINDOW>;
// The places of nodes of many rows.
var<workgroup> large: array<u32, WINDOW>;
var<workgroup> largeCount: atomic<u32>;
var<workgroup> agreed: u32;

@compute @workgroup_size(64)
fn findParents(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * WINDOW + local;
  let cut = at % parameters.count;
  if (at / parameters.count >= parameters.heads) {
    return;
  }
  for (var side = 2u; side < 4u; side++) {
    let child = cuts[4u * at + side];
    if (child > 0u) {
      parents[at - cut + child] = cut;
    }
  }
}

fn agreeOn(value: u32, local: u32) -> u32 {
  if (local == 0u) {
    agreed = value;
  }
  return workgroupUniformLoad(&agreed);
}

// Rows and masses of one centre; a window beside rows: rows [begin, firstWindow), windows, and rows [tail, end).
struct Items {
  rows: u32,
  weights: u32,
  windows: u32,
  begin: u32,
  heads: u32,
  whole: u32,
  tail: u32,
}

// A lane's part of the scatter of few rows.
fn partOfScatter(own: u32, weight: u32, begin: u32, end: u32, lane: u32) -> f32 {
  var mass = 0.0;
  for (var j = begin; j < end; j++) {
    mass += weights[weight + j];
  }
  var scatter = vec4f(0.0);
  if (mass > 0.0) {
    for (var column = lane; column < parameters.columns; column += GROUP) {
      let mean = meanOf(own + column, weight, begin, end, mass);
      for (var j = begin; j < end; j++) {
        let difference = rows[own + j * parameters.columns + column] - mean;
        scatter = fma(weights[weight + j] * difference, difference, scatter);
      }
    }
  }
  return (scatter.x + scatter.y) + (scatter.z + scatter.w);
}

fn meanOf(column: u32, weight: u32, begin: u32, end: u32, mass: f32) -> vec4f {
  var sum = vec4f(0.0);
  for (var j = begin; j < end; j++) {
    sum = fma(vec4f(weights[weight + j]), rows[column + j * parameters.columns], sum);
  }
  return sum / mass;
}

// A window of a centre per group of lanes.
@compute @workgroup_size(64)
fn sumWindows(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let columns = parameters.columns;
  let groups = WINDOW / GROUP;
  let place = (workgroup.x + workgroup.y * workgroups.x) * groups + local / GROUP;
  let row = place / parameters.windows;
  let lane = local % GROUP;
  let present = row < parameters.heads * parameters.centres;
  let begin = place % parameters.windows * WINDOW;
  let end = min(begin + WINDOW, parameters.count);
  let own = row / parameters.centres * parameters.count * columns;
  let weight = row * parameters.count;
  var mass = 0.0;
  if (present) {
    for (var j = begin; j < end; j++) {
      mass += weights[weight + j];
    }
    for (var column = lane; column < columns; column += GROUP) {
      var mean = vec4f(0.0);
      if (mass > 0.0) {
        mean = meanOf(own + column, weight, begin, end, mass);
      }
      windows[place * (columns + 1u) + column] = mean;
    }
    parts[local] = partOfScatter(own, weight, begin, end, lane);
  }
  workgroupBarrier();
  if (present && lane == 0u) {
    var scatter = 0.0;
    for (var i = 0u; i < GROUP; i++) {
      scatter += parts[local + i];
    }
    windows[place * (columns + 1u) + columns] = vec4f(mass, scatter, 0.0, 0.0);
  }
}

// A place in what makes up a node of many rows: where its vectors are, and its mass.
fn isWindow(items: Items, i: u32) -> bool {
  return i >= items.heads && i < items.heads + items.whole;
}

fn windowOf(items: Items, i: u32) -> u32 {
  return items.windows + (i - items.heads) * (parameters.columns + 1u);
}

fn placeOf(items: Items, i: u32) -> u32 {
  return select(items.tail + i - items.heads - items.whole, items.begin + i, i < items.heads);
}

fn massOf(items: Items, i: u32) -> f32 {
  if (isWindow(items, i)) {
    return windows[windowOf(items, i) + parameters.columns].x;
  }
  return weights[items.weights + placeOf(items, i)];
}

fn vectorOf(items: Items, i: u32, column: u32) -> vec4f {
  if (isWindow(items, i)) {
    return windows[windowOf(items, i) + column];
  }
  return rows[items.rows + placeOf(items, i) * parameters.columns + column];
}

// The scatter of a node of many rows, from windows and the rows beside them, by all lanes.
fn scatterOf(row: u32, begin: u32, end: u32, local: u32) -> f32 {
  let columns = parameters.columns;
  let firstWindow = (begin + WINDOW - 1u) / WINDOW;
  let endWindow = end / WINDOW;
  var items: Items;
  items.rows = row / parameters.centres * parameters.count * columns;
  items.weights = row * parameters.count;
  items.windows = (row * parameters.windows + firstWindow) * (columns + 1u);
  items.begin = begin;
  items.heads = firstWindow * WINDOW - begin;
  items.whole = endWindow - firstWindow;
  items.tail = endWindow * WINDOW;
  let count = items.heads + items.whole + end - items.tail;
  var own = vec2f(0.0);
  for (var i = local; i < count; i += WINDOW) {
    own.x += massOf(items, i);
    if (isWindow(items, i)) {
      own.y += windows[windowOf(items, i) + columns].y;
    }
  }
  let found = sumOfLanes(own, local);
  let mass = found.x;
  let wide = min(columns, WINDOW);
  let deep = WINDOW / wide;
  let part = local / wide;
  var squares = vec4f(0.0);
  for (var first = 0u; first < columns; first += wide) {
    let column = first + local % wide;
    let takes = part < deep && column < columns;
    var sum = vec4f(0.0);
    if (takes) {
      for (var i = part; i < count; i += deep) {
        sum = fma(vec4f(massOf(items, i)), vectorOf(items, i, column), sum);
      }
    }
    sums[local] = sum;
    workgroupBarrier();
    if (takes && mass > 0.0) {
      var mean = vec4f(0.0);
      for (var other = 0u; other < deep; other++) {
        mean += sums[other * wide + local % wide];
      }
      mean /= mass;
      for (var i = part; i < count; i += deep) {
        let difference = vectorOf(items, i, column) - mean;
        squares = fma(massOf(items, i) * difference, difference, squares);
      }
    }
    workgroupBarrier();
  }
  let scatter = sumOfLanes(vec2f((squares.x + squares.y) + (squares.z + squares.w), 0.0), local).x;
  return found.y + scatter;
}

// The nodes that are cut before WINDOW places, for one centre, per workgroup.
@compute @workgroup_size(64)
fn measure(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = workgroup.x + workgroup.y * workgroups.x;
  let row = place / parameters.windows;
  if (row >= parameters.heads * parameters.centres) {
    return;
  }
  let head = row / parameters.centres;
  let firstCut = place % parameters.windows * WINDOW;
  let tree = head * parameters.count;
  let own = tree * parameters.columns;
  let weight = row * parameters.count;
  if (local == 0u) {
    atomicStore(&largeCount, 0u);
  }
  workgroupBarrier();
  for (var i = local / GROUP; i < WINDOW; i += WINDOW / GROUP) {
    let cut = firstCut + i;
    let lane = local % GROUP;
    var part = 0.0;
    if (cut > 0u && cut < parameters.count) {
      let begin = cuts[4u * (tree + cut)];
      let end = cuts[4u * (tree + cut) + 1u];
      if (end - begin > WINDOW) {
        if (lane == 0u) {
          large[atomicAdd(&largeCount, 1u)] = cut;
        }
      } else if (bundleOf(tree, cut) == cut) {
        part = partOfScatter(own, weight, begin, end, lane);
      }
    }
    parts[i * GROUP + lane] = part;
  }
  workgroupBarrier();
  if (firstCut + local < parameters.count) {
    var scatter = 0.0;
    for (var i = 0u; i < GROUP; i++) {
      scatter += parts[local * GROUP + i];
    }
    scatters[weight + firstCut + local] = scatter;
  }
  let many = agreeOn(atomicLoad(&largeCount), local);
  storageBarrier();
  for (var i = 0u; i < many; i++) {
    let cut = agreeOn(large[i], local);
    let scatter = scatterOf(row, cuts[4u * (tree + cut)], cuts[4u * (tree + cut) + 1u], local);
    if (local == 0u) {
      scatters[weight + cut] = scatter;
    }
  }
}

fn sizeOf(tree: u32, cut: u32) -> u32 {
  return cuts[4u * (tree + cut) + 1u] - cuts[4u * (tree + cut)];
}

// The node that is cut into single keys where this one is cut.
fn bundleOf(tree: u32, cut: u32) -> u32 {
  var node = cut;
  for (var step = 0u; step < TREE_BUNDLE; step++) {
    let parent = parents[tree + node];
    if (parent == 0u || sizeOf(tree, parent) > TREE_BUNDLE) {
      break;
    }
    node = parent;
  }
  return node;
}

// A node gains no more than those above it.
@compute @workgroup_size(64)
fn limit(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * WINDOW + local;
  let row = at / parameters.count;
  let cut = at % parameters.count;
  if (row >= parameters.heads * parameters.centres) {
    return;
  }
  if (cut == 0u) {
    gains[at] = 0.0;
    return;
  }
  let tree = row / parameters.centres * parameters.count;
  var node = bundleOf(tree, cut);
  var least = scatters[at - cut + node];
  for (node = parents[tree + node]; node > 0u; node = parents[tree + node]) {
    least = min(least, scatters[at - cut + node]);
  }
  gains[at] = least;
}
