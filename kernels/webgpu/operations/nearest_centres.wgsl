// The nearest centre of each row.
// parameters.heads, count, centres: shapes; columns: vec4s of a row; firstWorkgroup: where this dispatch begins, of several that
// share the work. Defined in front: CENTRES, those that an invocation measures at a time, so that a vec4 of its row serves all of
// them.

struct Parameters {
  heads: u32,
  count: u32,
  columns: u32,
  centres: u32,
  firstWorkgroup: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> rows: array<vec4f>; // (heads, count, 4 columns) f32
@group(0) @binding(2) var<storage, read> centre: array<vec4f>; // (heads, centres, 4 columns) f32
@group(0) @binding(3) var<storage, read_write> labels: array<u32>; // (heads, count) u32

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (parameters.firstWorkgroup + workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let head = at / parameters.count;
  if (head >= parameters.heads) {
    return;
  }
  let columns = parameters.columns;
  var nearest = 0u;
  // The rows are finite, and so are squares of their differences.
  var least = FAR;
  for (var first = 0u; first < parameters.centres; first += CENTRES) {
    var squares: array<vec4f, CENTRES>;
    for (var i = 0u; i < CENTRES; i++) {
      squares[i] = vec4f(0.0);
    }
    for (var column = 0u; column < columns; column++) {
      let own = rows[at * columns + column];
      for (var i = 0u; i < CENTRES; i++) {
        // Centres past the end repeat the last one, which is nearer than itself to no row.
        let other = head * parameters.centres + min(first + i, parameters.centres - 1u);
        let difference = own - centre[other * columns + column];
        squares[i] = fma(difference, difference, squares[i]);
      }
    }
    for (var i = 0u; i < CENTRES; i++) {
      let distance = (squares[i].x + squares[i].y) + (squares[i].z + squares[i].w);
      nearest = select(nearest, first + i, distance < least);
      least = min(least, distance);
    }
  }
  labels[at] = nearest;
}
