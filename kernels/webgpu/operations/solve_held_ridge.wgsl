// Twin of solve_ridge.wgsl for GPUs and systems that the registers of a workgroup hold: step by step what is known is taken from all
// that is left, so that nothing waits for memory in between. Put behind reductions.wgsl.
// parameters.heads; count: observations, blocks: ⌈count/4⌉, columns: vec4s of a target.
// Defined in front: HELD and SOUGHT, tiles of 4 × 4 of the system and of its solution that a lane holds; ROWS, tiles of a column that there
// is room for: blocks + columns may be no more, and it no more than LANES.

struct Parameters {
  heads: u32,
  count: u32,
  blocks: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
// (heads, 8 blocks + 4 columns, blocks) vec4f, see solve_ridge.wgsl: only what comes in is used.
@group(0) @binding(1) var<storage, read> system: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dual: array<vec4f>; // (heads, 4 blocks, 4 columns) f32

// The block of pivots, and the tiles of its column.
var<workgroup> pivots: mat4x4f;
var<workgroup> solved: array<mat4x4f, ROWS>;

fn squareSum(rows: mat4x4f) -> f32 {
  return (dot(rows[0], rows[0]) + dot(rows[1], rows[1])) + (dot(rows[2], rows[2]) + dot(rows[3], rows[3]));
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let head = workgroup.x + workgroup.y * workgroups.x;
  if (head >= parameters.heads) {
    return;
  }
  let blocks = parameters.blocks;
  let columns = parameters.columns;
  let first = head * (8u * blocks + 4u * columns) * blocks;
  // Tiles of a column follow one another: rows of G on and below the diagonal, above it those that the identity below G becomes, 0 at
  // first; then those of Tᵀ.
  let tall = blocks + columns;
  var held: array<mat4x4f, HELD>;
  for (var h = 0u; h < HELD; h++) {
    let slot = h * LANES + local;
    let at = slot % tall;
    let place = first + 4u * select(at, at + blocks, at >= blocks) * blocks + min(slot / tall, blocks - 1u);
    held[h] = mat4x4f(system[place], system[place + blocks], system[place + 2u * blocks], system[place + 3u * blocks]);
  }
  var found = vec2f(0.0);
  for (var h = 0u; h < HELD; h++) {
    let slot = h * LANES + local;
    let at = slot % tall;
    let column = slot / tall;
    let none = vec4f(0.0);
    let rows = held[h];
    let isThere = column < blocks && at >= column;
    held[h] = mat4x4f(
      select(none, rows[0], isThere),
      select(none, rows[1], isThere),
      select(none, rows[2], isThere),
      select(none, rows[3], isThere),
    );
    found.x += select(0.0, (rows[0].x + rows[1].y) + (rows[2].z + rows[3].w), isThere && at == column);
    found.y += select(0.0, squareSum(held[h]), at >= blocks);
  }
  let totals = sumOfLanes(found, local);
  let ridge = RIDGE * totals.x / f32(parameters.count);
  // Rounding may leave a pivot of a nearly singular matrix at or below zero; the ridge is its true size there.
  let least = ridge / 67108864.0;

  var sums: array<mat4x4f, SOUGHT>;
  var diagonal: array<vec4f, SOUGHT>;
  for (var s = 0u; s < SOUGHT; s++) {
    sums[s] = mat4x4f();
    diagonal[s] = vec4f(0.0);
  }
  // Cholesky factorisation G + ridge·I = L Lᵀ, by blocks of four columns. What makes L of the rows of G makes L⁻ᵀ of those of the
  // identity, and (L⁻¹ T)ᵀ of those of Tᵀ.
  for (var block = 0u; block < blocks; block++) {
    // Which tile of the column a lane holds, and the tile.
    let at = (local - block * tall) % LANES;
    let own = (block * tall + at) / LANES;
    var rows = mat4x4f();
    for (var h = 0u; h < HELD; h++) {
      if (own == h) {
        rows = held[h];
      }
    }
    if (at == block) {
      pivots = rows;
      rows = mat4x4f(1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0);
    }
    workgroupBarrier();
    if (at < tall) {
      let rest = pivots;
      let root0 = inverseSqrt(max(rest[0].x + ridge, least));
      let l10 = rest[1].x * root0;
      let l20 = rest[2].x * root0;
      let l30 = rest[3].x * root0;
      let root1 = inverseSqrt(max(rest[1].y + ridge - l10 * l10, least));
      let l21 = (rest[2].y - l20 * l10) * root1;
      let l31 = (rest[3].y - l30 * l10) * root1;
      let root2 = inverseSqrt(max(rest[2].z + ridge - l20 * l20 - l21 * l21, least));
      let l32 = (rest[3].z - l30 * l20 - l31 * l21) * root2;
      let root3 = inverseSqrt(max(rest[3].w + ridge - l30 * l30 - l31 * l31 - l32 * l32, least));
      let ahead = transpose(rows);
      let x0 = ahead[0] * root0;
      let x1 = (ahead[1] - l10 * x0) * root1;
      let x2 = (ahead[2] - l20 * x0 - l21 * x1) * root2;
      let x3 = (ahead[3] - l30 * x0 - l31 * x1 - l32 * x2) * root3;
      solved[at] = transpose(mat4x4f(x0, x1, x2, x3));
    }
    workgroupBarrier();
    for (var h = 0u; h < HELD; h++) {
      let slot = h * LANES + local;
      let at = slot % tall;
      let column = slot / tall;
      if (column > block && column < blocks && (at <= block || at >= column)) {
        held[h] -= transpose(solved[column]) * solved[at];
      }
    }
    // X = (G + ridge·I)⁻¹ = L⁻ᵀ L⁻¹, and X T.
    for (var s = 0u; s < SOUGHT; s++) {
      let tile = s * LANES + local;
      let row = tile / columns;
      if (row <= block) {
        let inverse = solved[row];
        sums[s] += transpose(solved[blocks + tile % columns]) * inverse;
        diagonal[s] += vec4f(
          dot(inverse[0], inverse[0]),
          dot(inverse[1], inverse[1]),
          dot(inverse[2], inverse[2]),
          dot(inverse[3], inverse[3]),
        );
      }
    }
  }

  // The left-out residuals are (X T)_i / X_ii.
  var leftOut = 0.0;
  for (var s = 0u; s < SOUGHT; s++) {
    let over = diagonal[s];
    let left = mat4x4f(sums[s][0] / over.x, sums[s][1] / over.y, sums[s][2] / over.z, sums[s][3] / over.w);
    leftOut += select(0.0, squareSum(left), (s * LANES + local) / columns < blocks);
  }
  let isWorth = sumOfLanes(vec2f(leftOut, 0.0), local).x < totals.y;
  for (var s = 0u; s < SOUGHT; s++) {
    let tile = s * LANES + local;
    let row = tile / columns;
    if (row < blocks) {
      let to = (head * 4u * blocks + 4u * row) * columns + tile % columns;
      let none = vec4f(0.0);
      dual[to] = select(none, sums[s][0], isWorth);
      dual[to + columns] = select(none, sums[s][1], isWorth);
      dual[to + 2u * columns] = select(none, sums[s][2], isWorth);
      dual[to + 3u * columns] = select(none, sums[s][3], isWorth);
    }
  }
}
