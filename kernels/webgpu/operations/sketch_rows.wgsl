// Rows in fewer columns: see `Backend.sketchRows`. An invocation sums one vec4 of the result for ROWS rows.
// parameters.rows: of all heads; columns, folded: vec4s of a row and of a sketch.
// Defined in front: ROWS.

struct Parameters {
  rows: u32,
  columns: u32,
  folded: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> rows: array<vec4f>; // (rows, 4 columns) f32
@group(0) @binding(2) var<storage, read> signs: array<vec4f>; // (4 columns or more) f32
@group(0) @binding(3) var<storage, read_write> sketched: array<vec4f>; // (rows, 4 folded) f32

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let firstRow = at / parameters.folded * ROWS;
  if (firstRow >= parameters.rows) {
    return;
  }
  let column = at % parameters.folded;
  // Rows past the end repeat the last one and are not stored.
  let lastRow = parameters.rows - 1u;
  var sums: array<vec4f, ROWS>;
  for (var r = 0u; r < ROWS; r++) {
    sums[r] = vec4f(0.0);
  }
  for (var c = column; c < parameters.columns; c += parameters.folded) {
    let sign = signs[c];
    for (var r = 0u; r < ROWS; r++) {
      sums[r] = fma(sign, rows[min(firstRow + r, lastRow) * parameters.columns + c], sums[r]);
    }
  }
  for (var r = 0u; r < ROWS; r++) {
    if (firstRow + r < parameters.rows) {
      sketched[(firstRow + r) * parameters.folded + column] = sums[r];
    }
  }
}
