// rows + offset + query · slope, or the product alone: see `Backend.addLinear`. An invocation takes ROWS rows in COLUMNS vec4s.
// parameters.heads, count; columns, valueColumns: vec4s of a query and of a row; groups: groups of ROWS rows of a head; chunks:
// chunks of COLUMNS vec4s of a row; ownRows: 1 where each query has a row, 0 where a head has one.
// Defined in front: ROWS, COLUMNS; DEPTH, vec4s of a query that are loaded at a time; ADDED, 1 if there are rows and an offset.

struct Parameters {
  heads: u32,
  count: u32,
  columns: u32,
  valueColumns: u32,
  groups: u32,
  chunks: u32,
  ownRows: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> rows: array<vec4f>; // (heads, count or 1, 4 valueColumns) f32
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
  let head = at / (parameters.groups * parameters.chunks);
  if (head >= parameters.heads) {
    return;
  }
  let firstColumn = (at % parameters.chunks) * COLUMNS;
  let first = (at / parameters.chunks % parameters.groups) * ROWS;
  // Rows and columns past the end repeat the last ones and are not stored.
  let lastRow = parameters.count - 1u;
  let lastColumn = valueColumns - 1u;
  let firstRow = head * parameters.count;
  var sums: array<array<vec4f, COLUMNS>, ROWS>;
  for (var r = 0u; r < ROWS; r++) {
    let row = select(head, firstRow + min(first + r, lastRow), parameters.ownRows == 1u) * valueColumns;
    for (var c = 0u; c < COLUMNS; c++) {
      if (ADDED == 1u) {
        let column = min(firstColumn + c, lastColumn);
        sums[r][c] = rows[row + column] + offset[head * valueColumns + column];
      } else {
        sums[r][c] = vec4f(0.0);
      }
    }
  }
  for (var next = 0u; next < columns; next += DEPTH) {
    var q: array<array<vec4f, ROWS>, DEPTH>;
    var blocks: array<array<mat4x4f, COLUMNS>, DEPTH>;
    for (var step = 0u; step < DEPTH; step++) {
      // What is past the end repeats the last vec4 of a query, and counts 0.
      let t = min(next + step, columns - 1u);
      let own = select(0.0, 1.0, DEPTH == 1u || next + step < columns);
      for (var r = 0u; r < ROWS; r++) {
        q[step][r] = own * query[(firstRow + min(first + r, lastRow)) * columns + t];
      }
      for (var c = 0u; c < COLUMNS; c++) {
        let at = (head * columns + t) * 4u * valueColumns + min(firstColumn + c, lastColumn);
        blocks[step][c] = mat4x4f(
          slope[at],
          slope[at + valueColumns],
          slope[at + 2u * valueColumns],
          slope[at + 3u * valueColumns],
        );
      }
    }
    for (var step = 0u; step < DEPTH; step++) {
      for (var c = 0u; c < COLUMNS; c++) {
        for (var r = 0u; r < ROWS; r++) {
          sums[r][c] += blocks[step][c] * q[step][r];
        }
      }
    }
  }
  for (var r = 0u; r < ROWS; r++) {
    for (var c = 0u; c < COLUMNS; c++) {
      if (first + r < parameters.count && firstColumn + c < valueColumns) {
        result[(firstRow + first + r) * valueColumns + firstColumn + c] = sums[r][c];
      }
    }
  }
}
