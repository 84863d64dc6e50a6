// Where rows come to in a tree: see `Backend.bisectRows`. Behind bisection_tree.wgsl.

// The labels of the rows that the tree did not grow on.
@compute @workgroup_size(64)
fn descend(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let head = at / parameters.count;
  if (head >= parameters.heads || (at % parameters.count) % parameters.every == 0u) {
    return;
  }
  var label = 0u;
  var cut = order[cutsOf(head, 0u)];
  while (cut != 0u) {
    let isBeyond = sideOf(at * parameters.columns, normalOf(head, cut)) > 0.0;
    label = select(label, cut, isBeyond);
    cut = order[cutsOf(head, cut) + select(1u, 0u, isBeyond)];
  }
  labels[at] = label;
}
