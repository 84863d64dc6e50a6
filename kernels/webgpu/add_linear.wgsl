// rows + offset + query · slope, or the product alone: see `Backend.addLinear`. An invocation takes four rows in four columns.
// parameters.heads, count; columns, valueColumns: vec4s of a query and of a row; groups: fours of rows of a head.
// Defined in front: FOUR = 4; ADDED, 1 if there are rows and an offset.

struct Parameters {
  heads: u32,
  count: u32,
  columns: u32,
  valueColumns: u32,
  groups: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> rows: array<vec4f>; // (heads, count, 4 valueColumns) f32
@group(0) @binding(2) var<storage, read> query: array<vec4f>; // (heads, count, 4 columns) f32
@group(0) @binding(3) var<storage, read> slope: array<vec4f>; // (heads, 4 columns, 4 valueColumns) f32
@group(0) @binding(4) var<storage, read> offset: array<vec4f>; // (heads, 4 valueColumns) f32
@group(0) @binding(5) var<storage, read_write> result: array<vec4f>; // (heads, count, 4 valueColumns) f32

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let valueColumns = parameters.valueColumns;
  let columns = parameters.columns;
  let head = at / (parameters.groups * valueColumns);
  if (head >= parameters.heads) {
    return;
  }
  let column = at % valueColumns;
  let first = (at / valueColumns % parameters.groups) * FOUR;
  // Rows past the end repeat the last one and are not stored.
  let own = vec4u(head * parameters.count) + min(vec4u(first) + vec4u(0u, 1u, 2u, 3u), vec4u(parameters.count - 1u));
  var sums: array<vec4f, FOUR>;
  for (var r = 0u; r < FOUR; r++) {
    if (ADDED == 1u) {
      sums[r] = rows[own[r] * valueColumns + column] + offset[head * valueColumns + column];
    } else {
      sums[r] = vec4f(0.0);
    }
  }
  for (var c = 0u; c < columns; c++) {
    let place = (head * columns + c) * FOUR * valueColumns + column;
    let block = mat4x4f(
      slope[place],
      slope[place + valueColumns],
      slope[place + 2u * valueColumns],
      slope[place + 3u * valueColumns],
    );
    for (var r = 0u; r < FOUR; r++) {
      sums[r] += block * query[own[r] * columns + c];
    }
  }
  for (var r = 0u; r < FOUR; r++) {
    if (first + r < parameters.count) {
      result[own[r] * valueColumns + column] = sums[r];
    }
  }
}
