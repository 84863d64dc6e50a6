// Where rows come to in a tree: see `Backend.bisectRows`. Behind bisection_tree.wgsl.
// parameters.every: rows that the tree grew on and that have their labels, each so many-th; 0 where it grew on none of them.

// Whether rows are moved from their own centre to that of the tree.
override MOVED: bool;

@group(0) @binding(5) var<storage, read> centre: array<vec4f>; // (heads, 4 columns) f32
@group(0) @binding(6) var<storage, read> treeCentre: array<vec4f>; // (heads, 4 columns) f32
@group(0) @binding(7) var<storage, read> scale: array<f32>; // (heads) f32

fn columnOf(row: u32, c: u32, head: u32) -> vec4f {
  if (MOVED) {
    let at = head * parameters.columns + c;
    return fma(vec4f(scale[head]), rows[row + c] - centre[at], treeCentre[at]);
  }
  return rows[row + c];
}

@compute @workgroup_size(64)
fn descend(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let head = at / parameters.count;
  if (head >= parameters.heads || (parameters.every != 0u && (at % parameters.count) % parameters.every == 0u)) {
    return;
  }
  var label = 0u;
  var cut = order[cutsOf(head, 0u)];
  while (cut != 0u) {
    let isBeyond = sideOf(at * parameters.columns, normalOf(head, cut), head) > 0.0;
    label = select(label, cut, isBeyond);
    cut = order[cutsOf(head, cut) + select(1u, 0u, isBeyond)];
  }
  labels[at] = label;
}
