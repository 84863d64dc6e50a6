// Where rows come to in a tree: see `Backend.bisectRows`. Behind bisection_tree.wgsl.
// parameters.every: the tree grew on one of each so many rows, which have their labels; 0 where it grew on none of them.
// Defined in front: HELD, vec4s of a row that an invocation holds while it descends; it loads the others at every cut; AHEAD, vec4s
// that it loads at a time, and TURNS, in how many all that it holds.

// Whether rows are moved from their own centre to that of the tree.
override MOVED: bool;

@group(0) @binding(5) var<storage, read> centre: array<vec4f>; // (heads, 4 columns) f32
@group(0) @binding(6) var<storage, read> treeCentre: array<vec4f>; // (heads, 4 columns) f32
@group(0) @binding(7) var<storage, read> scale: array<f32>; // (heads) f32
// (heads, most) f32: <origin, normal> of the cuts. Origins and rows count from the mean of all, or rounding would drown what
// lies between rows far from 0.
@group(0) @binding(8) var<storage, read_write> offsets: array<f32>;

fn columnOf(row: u32, c: u32, head: u32) -> vec4f {
  let own = rows[row + c];
  let mean = means[centreOf(head) + c];
  if (MOVED) {
    let at = head * parameters.columns + c;
    return fma(vec4f(scale[head]), own - centre[at], treeCentre[at] - mean);
  }
  return own - mean;
}

fn sumOf(sums: vec4f) -> f32 {
  return (sums.x + sums.y) + (sums.z + sums.w);
}

// Offsets of all cuts, those that there is room for and that were not made included.
@compute @workgroup_size(64)
fn aim(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let head = at / parameters.most;
  if (head >= parameters.heads) {
    return;
  }
  let normal = normalOf(head, at % parameters.most);
  let mean = centreOf(head);
  var sums = vec4f(0.0);
  let columns = parameters.columns;
  for (var first = 0u; first < columns; first += AHEAD) {
    var origins: array<vec4f, AHEAD>;
    var across: array<vec4f, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      let c = min(first + step, columns - 1u);
      origins[step] = means[normal + columns + c] - means[mean + c];
      across[step] = means[normal + c];
    }
    for (var step = 0u; step < AHEAD; step++) {
      let own = select(0.0, 1.0, AHEAD == 1u || first + step < columns);
      sums = fma(own * origins[step], across[step], sums);
    }
  }
  offsets[at] = sumOf(sums);
}

@compute @workgroup_size(64)
fn descend(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let head = at / parameters.count;
  if (head >= parameters.heads) {
    return;
  }
  let own = at % parameters.count;
  if (parameters.every != 0u && own == rowOfPart(own / max(1u, parameters.every))) {
    return;
  }
  let row = at * parameters.columns;
  var held: array<vec4f, HELD>;
  for (var c = 0u; c < HELD; c++) {
    held[c] = columnOf(row, c, head);
  }
  var label = 0u;
  var cut = order[cutsOf(head, 0u)];
  while (cut != 0u) {
    let normal = normalOf(head, cut);
    var sums = vec4f(0.0);
    let limit = offsets[head * parameters.most + cut];
    let next = cutsOf(head, cut);
    let cuts = vec2u(order[next], order[next + 1u]);
    for (var turn = 0u; turn < TURNS; turn++) {
      var across: array<vec4f, AHEAD>;
      for (var step = 0u; step < AHEAD; step++) {
        across[step] = means[normal + min(turn * AHEAD + step, HELD - 1u)];
      }
      for (var step = 0u; step < AHEAD; step++) {
        if (turn * AHEAD + step < HELD) {
          sums = fma(held[min(turn * AHEAD + step, HELD - 1u)], across[step], sums);
        }
      }
    }
    for (var c = HELD; c < parameters.columns; c++) {
      sums = fma(columnOf(row, c, head), means[normal + c], sums);
    }
    let isBeyond = sumOf(sums) > limit;
    label = select(label, cut, isBeyond);
    cut = select(cuts.y, cuts.x, isBeyond);
  }
  labels[at] = label;
}
