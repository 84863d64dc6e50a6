// Squared distances of queries to rows of their own choice.
// parameters.heads, count, queries, picks: shapes; columns: vec4s of a row.

struct Parameters {
  heads: u32,
  count: u32,
  queries: u32,
  columns: u32,
  picks: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> rows: array<vec4f>; // (heads, count, 4 columns) f32
@group(0) @binding(2) var<storage, read> query: array<vec4f>; // (heads, queries, 4 columns) f32
@group(0) @binding(3) var<storage, read> index: array<u32>; // (heads, queries, picks) u32
@group(0) @binding(4) var<storage, read_write> distances: array<f32>; // (heads, queries, picks) f32

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let queryRow = at / parameters.picks;
  let head = queryRow / parameters.queries;
  if (head >= parameters.heads) {
    return;
  }
  if (index[at] == NO_ROW) {
    distances[at] = FAR;
    return;
  }
  let own = queryRow * parameters.columns;
  let other = (head * parameters.count + index[at]) * parameters.columns;
  // Four sums side by side, so that rounding piles up in none of them.
  var squares = vec4f(0.0);
  for (var column = 0u; column < parameters.columns; column++) {
    let difference = query[own + column] - rows[other + column];
    squares = fma(difference, difference, squares);
  }
  distances[at] = (squares.x + squares.y) + (squares.z + squares.w);
}
