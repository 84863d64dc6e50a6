// Gray rank of the sign bits of rows against random hyperplanes.
// Defined in front: BITS, hyperplanes taken at a time; QUADS, fours of rows of an invocation; FOUR = 4.
// parameters.heads, count, projections: shapes; columns: vec4s of a row; tiles: tiles of 4 QUADS rows per head;
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

// The rows of one invocation share every hyperplane value that it loads.
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
  let firstRow = (tile % parameters.tiles) * 4u * QUADS;
  let lastRow = parameters.count - 1u;
  var starts: array<vec4u, QUADS>;
  var codes: array<vec4u, QUADS>;
  for (var quad = 0u; quad < QUADS; quad++) {
    // Rows past the end repeat the last one; their ranks are not stored.
    let four = min(vec4u(firstRow + 4u * quad) + vec4u(0u, 1u, 2u, 3u), vec4u(lastRow));
    starts[quad] = (vec4u(head * parameters.count) + four) * parameters.columns;
    codes[quad] = vec4u(0u);
  }
  for (var firstBit = 0u; firstBit < parameters.projections; firstBit += BITS) {
    var projected: array<array<vec4f, QUADS>, BITS>;
    for (var bit = 0u; bit < BITS; bit++) {
      for (var quad = 0u; quad < QUADS; quad++) {
        projected[bit][quad] = vec4f(0.0);
      }
    }
    for (var column = 0u; column < parameters.columns; column++) {
      var centre = vec4f(0.0);
      if (parameters.shifted == 1u) {
        centre = shift[head * parameters.columns + column];
      }
      var columns: array<mat4x4f, QUADS>;
      for (var quad = 0u; quad < QUADS; quad++) {
        let start = starts[quad];
        columns[quad] = transpose(mat4x4f(
          rows[start.x + column] - centre,
          rows[start.y + column] - centre,
          rows[start.z + column] - centre,
          rows[start.w + column] - centre,
        ));
      }
      for (var bit = 0u; bit < BITS; bit++) {
        let plane = min(firstBit + bit, parameters.projections - 1u);
        let normal = hyperplanes[(head * parameters.projections + plane) * parameters.columns + column];
        for (var quad = 0u; quad < QUADS; quad++) {
          projected[bit][quad] = fma(columns[quad][0], normal.xxxx, projected[bit][quad]);
          projected[bit][quad] = fma(columns[quad][1], normal.yyyy, projected[bit][quad]);
          projected[bit][quad] = fma(columns[quad][2], normal.zzzz, projected[bit][quad]);
          projected[bit][quad] = fma(columns[quad][3], normal.wwww, projected[bit][quad]);
        }
      }
    }
    for (var bit = 0u; bit < BITS; bit++) {
      for (var quad = 0u; quad < QUADS; quad++) {
        if (firstBit + bit < parameters.projections) {
          codes[quad] |= select(vec4u(0u), vec4u(1u << (firstBit + bit)), projected[bit][quad] > vec4f(0.0));
        }
      }
    }
  }
  for (var quad = 0u; quad < QUADS; quad++) {
    var rank = codes[quad];
    // The prefix exclusive-or of a Gray code is its rank.
    for (var distance = 1u; distance < 32u; distance *= 2u) {
      rank ^= rank >> vec4u(distance);
    }
    let place = firstRow + 4u * quad;
    for (var r = 0u; r < FOUR; r++) {
      if (place + r <= lastRow) {
        ranks[head * parameters.count + place + r] = rank[r];
      }
    }
  }
}
