// Rows side by side with others times the factor of their head: see `Backend.joinRows`.
// Defined in front: Element, f32 or vec4f; LANES, lanes that share a row; ROWS, rows of a workgroup;
// STEPS, elements of a joined row that one lane takes.
// parameters.heads, count: how many rows; width, otherWidth: of `rows` and `others`, in elements.

struct Parameters {
  heads: u32,
  count: u32,
  width: u32,
  otherWidth: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> rows: array<Element>; // (heads, count, width) f32
@group(0) @binding(2) var<storage, read> others: array<Element>; // (heads, count, otherWidth) f32
@group(0) @binding(3) var<storage, read> factors: array<f32>; // (heads) f32
@group(0) @binding(4) var<storage, read_write> result: array<Element>; // (heads, count, width + otherWidth) f32

@compute @workgroup_size(LANES, ROWS)
fn joinRows(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let row = (workgroup.x + workgroup.y * workgroups.x) * ROWS + local.y;
  let head = row / parameters.count;
  if (head >= parameters.heads) {
    return;
  }
  let width = parameters.width;
  let joinedWidth = width + parameters.otherWidth;
  let factor = factors[head];
  for (var step = 0u; step < STEPS; step++) {
    let column = step * LANES + local.x;
    if (column < width) {
      result[row * joinedWidth + column] = rows[row * width + column];
    } else if (column < joinedWidth) {
      result[row * joinedWidth + column] = factor * others[row * parameters.otherWidth + column - width];
    }
  }
}
