// What cutting a node of a tree gains for each centre: see `Backend.tiltKeys`. Behind reductions.wgsl, in front of row_moments.wgsl.
// parameters.heads, centres, count: shapes; columns: vec4s of a row; windows: runs of WINDOW places per head; tiles: tiles of FOUR
// centres per head; firstWorkgroup: where this dispatch begins, of several that share the work. Defined in front: GROUP, lanes that
// share a node of few rows, a column each.
// Scatters are sums of squares about the mean: differences of sums from the first key on would lose most of what is small.

struct Parameters {
  heads: u32,
  centres: u32,
  count: u32,
  columns: u32,
  windows: u32,
  tiles: u32,
  firstWorkgroup: u32,
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

// Places of a workgroup.
const WINDOW = 64u;

// For the four centres of a tile.
var<workgroup> parts: array<vec4f, WINDOW * GROUP>;
var<workgroup> sums: array<vec4f, LANES>;
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
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
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

// Four centres' moments of a window per group of lanes.
@compute @workgroup_size(LANES)
fn sumWindows(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let columns = parameters.columns;
  let place = (parameters.firstWorkgroup + workgroup.x + workgroup.y * workgroups.x) * (LANES / GROUP) + local / GROUP;
  let number = place % parameters.windows;
  let present = place < parameters.heads * parameters.tiles * parameters.windows;
  let tile = tileAt(place / parameters.windows);
  let begin = number * WINDOW;
  let end = min(begin + WINDOW, parameters.count);
  var mass = vec4f(0.0);
  var squares = vec4f(0.0);
  if (present) {
    for (var column = local % GROUP; column < columns; column += GROUP) {
      let means = meansOf(tile, column, begin, end);
      squares += scattersAbout(tile, means, column, begin, end);
      mass = means.mass;
      for (var c = 0u; c < FOUR; c++) {
        if (c < tile.present) {
          windows[((tile.row + c) * parameters.windows + number) * (columns + 1u) + column] = means.columns[c];
        }
      }
    }
  }
  parts[local] = squares;
  workgroupBarrier();
  if (present && local % GROUP == 0u) {
    for (var i = 1u; i < GROUP; i++) {
      squares += parts[local + i];
    }
    for (var c = 0u; c < FOUR; c++) {
      if (c < tile.present) {
        let at = ((tile.row + c) * parameters.windows + number) * (columns + 1u) + columns;
        windows[at] = vec4f(mass[c], squares[c], 0.0, 0.0);
      }
    }
  }
}

// What makes up a node of many rows for one centre: rows from `begin` on, then windows, then rows from `tail` on.
struct Items {
  rows: u32,
  weights: u32,
  windows: u32,
  begin: u32,
  heads: u32,
  whole: u32,
  tail: u32,
}

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

struct Item {
  mass: f32,
  vector: vec4f,
}

fn itemAt(items: Items, i: u32, column: u32) -> Item {
  if (FRONT == 1u) {
    return Item(massOf(items, i), vectorOf(items, i, column));
  }
  // Without a branch, in front of which loads would be waited for.
  let columns = parameters.columns;
  let isWhole = isWindow(items, i);
  let window = items.windows + select(0u, i - items.heads, isWhole) * (columns + 1u);
  let place = select(placeOf(items, i), items.begin, isWhole);
  return Item(
    select(weights[items.weights + place], windows[window + columns].x, isWhole),
    select(rows[items.rows + place * columns + column], windows[window + column], isWhole),
  );
}

// The scatter of a node of many rows, by all lanes.
fn scatterOf(head: u32, row: u32, begin: u32, end: u32, local: u32) -> f32 {
  let columns = parameters.columns;
  let firstWindow = (begin + WINDOW - 1u) / WINDOW;
  let endWindow = end / WINDOW;
  var items: Items;
  items.rows = head * parameters.count * columns;
  items.weights = row * parameters.count;
  items.windows = (row * parameters.windows + firstWindow) * (columns + 1u);
  items.begin = begin;
  items.heads = firstWindow * WINDOW - begin;
  items.whole = endWindow - firstWindow;
  items.tail = endWindow * WINDOW;
  let count = items.heads + items.whole + end - items.tail;
  var own = vec2f(0.0);
  for (var i = local; i < count; i += LANES) {
    own.x += massOf(items, i);
    if (isWindow(items, i)) {
      own.y += windows[windowOf(items, i) + columns].y;
    }
  }
  let found = sumOfLanes(own, local);
  let mass = found.x;
  let wide = min(columns, LANES);
  let deep = LANES / wide;
  let part = local / wide;
  var squares = vec4f(0.0);
  for (var first = 0u; first < columns; first += wide) {
    let column = first + local % wide;
    let takes = part < deep && column < columns;
    var sum = vec4f(0.0);
    if (takes) {
      for (var next = part; next < count; next += FRONT * deep) {
        var ahead: array<Item, FRONT>;
        for (var step = 0u; step < FRONT; step++) {
          ahead[step] = itemAt(items, min(next + step * deep, count - 1u), column);
        }
        for (var step = 0u; step < FRONT; step++) {
          let counted = select(0.0, ahead[step].mass, FRONT == 1u || next + step * deep < count);
          sum = fma(vec4f(counted), ahead[step].vector, sum);
        }
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
      for (var next = part; next < count; next += FRONT * deep) {
        var ahead: array<Item, FRONT>;
        for (var step = 0u; step < FRONT; step++) {
          ahead[step] = itemAt(items, min(next + step * deep, count - 1u), column);
        }
        for (var step = 0u; step < FRONT; step++) {
          let counted = select(0.0, ahead[step].mass, FRONT == 1u || next + step * deep < count);
          let difference = ahead[step].vector - mean;
          squares = fma(counted * difference, difference, squares);
        }
      }
    }
    workgroupBarrier();
  }
  let scatter = sumOfLanes(vec2f((squares.x + squares.y) + (squares.z + squares.w), 0.0), local).x;
  return found.y + scatter;
}

// The nodes that are cut before WINDOW places, for four centres, per workgroup.
@compute @workgroup_size(LANES)
fn measure(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = parameters.firstWorkgroup + workgroup.x + workgroup.y * workgroups.x;
  if (place >= parameters.heads * parameters.tiles * parameters.windows) {
    return;
  }
  let tile = tileAt(place / parameters.windows);
  let firstCut = place % parameters.windows * WINDOW;
  let tree = tile.head * parameters.count;
  if (local == 0u) {
    atomicStore(&largeCount, 0u);
  }
  workgroupBarrier();
  for (var i = local / GROUP; i < WINDOW; i += LANES / GROUP) {
    let cut = firstCut + i;
    let lane = local % GROUP;
    var squares = vec4f(0.0);
    if (cut > 0u && cut < parameters.count) {
      let begin = cuts[4u * (tree + cut)];
      let end = cuts[4u * (tree + cut) + 1u];
      if (end - begin > WINDOW) {
        if (lane == 0u) {
          large[atomicAdd(&largeCount, 1u)] = cut;
        }
      } else if (bundleOf(tree, cut) == cut) {
        for (var column = lane; column < parameters.columns; column += GROUP) {
          let means = meansOf(tile, column, begin, end);
          squares += scattersAbout(tile, means, column, begin, end);
        }
      }
    }
    parts[i * GROUP + lane] = squares;
  }
  workgroupBarrier();
  for (var place = local; place < min(WINDOW, parameters.count - firstCut); place += LANES) {
    var squares = vec4f(0.0);
    for (var i = 0u; i < GROUP; i++) {
      squares += parts[place * GROUP + i];
    }
    for (var c = 0u; c < FOUR; c++) {
      if (c < tile.present) {
        scatters[(tile.row + c) * parameters.count + firstCut + place] = squares[c];
      }
    }
  }
  let many = agreeOn(atomicLoad(&largeCount), local);
  storageBarrier();
  for (var i = 0u; i < many; i++) {
    let cut = agreeOn(large[i], local);
    let begin = cuts[4u * (tree + cut)];
    let end = cuts[4u * (tree + cut) + 1u];
    for (var row = tile.row; row < tile.row + tile.present; row++) {
      let scatter = scatterOf(tile.head, row, begin, end, local);
      if (local == 0u) {
        scatters[row * parameters.count + cut] = scatter;
      }
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
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
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
