// Gray rank of the sign bits of rows against random hyperplanes.
// Defined in front: BITS, hyperplanes taken at a time.
// parameters.heads, count, projections: shapes; columns: vec4s of a row; tiles: tiles of four rows per head;
// shifted: 1 if `shift` is to be subtracted first.

struct Parameters {
  heads: u32,
  count: u32,
  columns: u32,
  projections: u32,
  tiles: u32,
  shifted: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> rows: array<vec4f>; // (heads, count, 4 columns) f32
@group(0) @binding(2) var<storage, read> shift: array<vec4f>; // (heads, 4 columns) f32
@group(0) @binding(3) var<storage, read> hyperplanes: array<vec4f>; // (heads, projections, 4 columns) f32
@group(0) @binding(4) var<storage, read_write> ranks: array<u32>; // (heads, count) u32

// Four rows of one invocation share every hyperplane value that it loads.
@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let tile = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let head = tile / parameters.tiles;
  if (head >= parameters.heads) {
    return;
  }
  let firstRow = (tile % parameters.tiles) * 4u;
  let lastRow = parameters.count - 1u;
  // Rows past the end repeat the last one; their ranks are not stored.
  let four = min(vec4u(firstRow) + vec4u(0u, 1u, 2u, 3u), vec4u(lastRow));
  let starts = (vec4u(head * parameters.count) + four) * parameters.columns;
  var codes = vec4u(0u);
  for (var firstBit = 0u; firstBit < parameters.projections; firstBit += BITS) {
    var projected: array<vec4f, BITS>;
    for (var bit = 0u; bit < BITS; bit++) {
      projected[bit] = vec4f(0.0);
    }
    for (var column = 0u; column < parameters.columns; column++) {
      var centre = vec4f(0.0);
      if (parameters.shifted == 1u) {
        centre = shift[head * parameters.columns + column];
      }
      let a = rows[starts.x + column] - centre;
      let b = rows[starts.y + column] - centre;
      let c = rows[starts.z + column] - centre;
      let d = rows[starts.w + column] - centre;
      for (var bit = 0u; bit < BITS; bit++) {
        let plane = min(firstBit + bit, parameters.projections - 1u);
        let normal = hyperplanes[(head * parameters.projections + plane) * parameters.columns + column];
        projected[bit] = fma(vec4f(a.x, b.x, c.x, d.x), normal.xxxx, projected[bit]);
        projected[bit] = fma(vec4f(a.y, b.y, c.y, d.y), normal.yyyy, projected[bit]);
        projected[bit] = fma(vec4f(a.z, b.z, c.z, d.z), normal.zzzz, projected[bit]);
        projected[bit] = fma(vec4f(a.w, b.w, c.w, d.w), normal.wwww, projected[bit]);
      }
    }
    for (var bit = 0u; bit < BITS; bit++) {
      if (firstBit + bit < parameters.projections) {
        codes |= select(vec4u(0u), vec4u(1u << (firstBit + bit)), projected[bit] > vec4f(0.0));
      }
    }
  }
  // The prefix exclusive-or of a Gray code is its rank.
  for (var distance = 1u; distance < 32u; distance *= 2u) {
    codes ^= codes >> vec4u(distance);
  }
  let place = head * parameters.count + firstRow;
  ranks[place] = codes.x;
  if (firstRow + 1u <= lastRow) {
    ranks[place + 1u] = codes.y;
  }
  if (firstRow + 2u <= lastRow) {
    ranks[place + 2u] = codes.z;
  }
  if (firstRow + 3u <= lastRow) {
    ranks[place + 3u] = codes.w;
  }
}
