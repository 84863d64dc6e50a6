// Ridge regression in its dual form, one workgroup a head: the twin of ridge.ts in kernels/reference, and the decision whether
// the solution is worth having. Put behind reductions.wgsl.
// Defined in front: AHEAD, blocks that a lane loads at a time.
// parameters.heads; count: observations, blocks: ⌈count/4⌉, columns: vec4s of a target.
// An invocation makes about (blocks + columns) / LANES · blocks² / 2 turns in the loops of the factorisation, rounded up to whole
// lanes, and blocks · columns / LANES · blocks after it: 8,200 for 176 observations, 64 columns and 32 lanes.

struct Parameters {
  heads: u32,
  count: u32,
  blocks: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
// (heads, 8 blocks + 4 columns, blocks) vec4f, of which come in: 4 blocks rows of the Gram matrix G = A Aᵀ, on and below its diagonal
// blocks, and in the end 4 columns rows of the targets Tᵀ. Rows and columns beyond `count` are 0.
@group(0) @binding(1) var<storage, read_write> system: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dual: array<vec4f>; // (heads, 4 blocks, 4 columns) f32

// Four rows of a head's system at a block of four columns; each becomes a column of the matrix.
fn rowsAt(first: u32, rowBlock: u32, block: u32) -> mat4x4f {
  let at = first + 4u * rowBlock * parameters.blocks + block;
  let stride = parameters.blocks;
  return mat4x4f(system[at], system[at + stride], system[at + 2u * stride], system[at + 3u * stride]);
}

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
  let first = head * (8u * blocks + 4u * parameters.columns) * blocks;
  var trace = 0.0;
  for (var block = 0u; block < blocks; block++) {
    let rows = rowsAt(first, block, block);
    trace += (rows[0].x + rows[1].y) + (rows[2].z + rows[3].w);
  }
  let ridge = RIDGE * trace / f32(parameters.count);
  // Rounding may leave a pivot of a nearly singular matrix at or below zero; the ridge is its true size there.
  let least = ridge / 67108864.0;

  // Cholesky factorisation G + ridge·I = L Lᵀ, by blocks of four columns. What makes L of the rows of G makes L⁻ᵀ of those of the
  // identity below them, and (L⁻¹ T)ᵀ of those of Tᵀ. Each lane works out the block of pivots itself: that costs less than to
  // wait for it. The block itself is not stored, since no later column asks for it.
  var squares = vec2f(0.0);
  for (var block = 0u; block < blocks; block++) {
    // Blocks of four rows: those of G below the pivots, those of the identity that are not yet all 0, and those of Tᵀ.
    for (var at = local; at < blocks + parameters.columns; at += LANES) {
      let below = at > block && at < blocks;
      let ofIdentity = at <= block;
      let rowBlock = select(at + blocks, at, below);
      let start = select(0u, at, ofIdentity);
      var ofPivots = mat4x4f();
      var ofRows = mat4x4f();
      for (var next = 0u; next < block; next += AHEAD) {
        var pivots: array<mat4x4f, AHEAD>;
        var rows: array<mat4x4f, AHEAD>;
        for (var step = 0u; step < AHEAD; step++) {
          let k = min(next + step, block - 1u);
          pivots[step] = rowsAt(first, block, k);
          // In front of the first that is not 0 nothing has been stored.
          rows[step] = rowsAt(first, rowBlock, max(k, min(start, block - 1u)));
        }
        for (var step = 0u; step < AHEAD; step++) {
          let k = next + step;
          let turned = transpose(pivots[step]);
          if (AHEAD == 1u || k < block) {
            ofPivots += turned * pivots[step];
          }
          if (k >= start && (AHEAD == 1u || k < block)) {
            ofRows += turned * rows[step];
          }
        }
      }
      let rest = rowsAt(first, block, block) - ofPivots;
      let root0 = sqrt(max(rest[0].x + ridge, least));
      let l10 = rest[1].x / root0;
      let l20 = rest[2].x / root0;
      let l30 = rest[3].x / root0;
      let root1 = sqrt(max(rest[1].y + ridge - l10 * l10, least));
      let l21 = (rest[2].y - l20 * l10) / root1;
      let l31 = (rest[3].y - l30 * l10) / root1;
      let root2 = sqrt(max(rest[2].z + ridge - l20 * l20 - l21 * l21, least));
      let l32 = (rest[3].z - l30 * l20 - l31 * l21) / root2;
      let root3 = sqrt(max(rest[3].w + ridge - l30 * l30 - l31 * l31 - l32 * l32, least));

      var rows = mat4x4f();
      if (at == block) {
        rows = mat4x4f(1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0);
      } else if (!ofIdentity) {
        rows = rowsAt(first, rowBlock, block);
        squares.x += select(squareSum(rows), 0.0, below);
      }
      let ahead = transpose(rows - ofRows);
      let x0 = ahead[0] / root0;
      let x1 = (ahead[1] - l10 * x0) / root1;
      let x2 = (ahead[2] - l20 * x0 - l21 * x1) / root2;
      let x3 = (ahead[3] - l30 * x0 - l31 * x1 - l32 * x2) / root3;
      let solved = transpose(mat4x4f(x0, x1, x2, x3));
      let to = first + 4u * rowBlock * blocks + block;
      system[to] = solved[0];
      system[to + blocks] = solved[1];
      system[to + 2u * blocks] = solved[2];
      system[to + 3u * blocks] = solved[3];
    }
    storageBarrier();
  }

  // X = (G + ridge·I)⁻¹ = L⁻ᵀ L⁻¹; the left-out residuals are (X T)_i / X_ii.
  for (var tile = local; tile < blocks * parameters.columns; tile += LANES) {
    let row = tile / parameters.columns;
    let column = tile % parameters.columns;
    var sums = mat4x4f();
    var diagonal = vec4f(0.0);
    for (var next = row; next < blocks; next += AHEAD) {
      var inverse: array<mat4x4f, AHEAD>;
      var targets: array<mat4x4f, AHEAD>;
      for (var step = 0u; step < AHEAD; step++) {
        let k = min(next + step, blocks - 1u);
        inverse[step] = rowsAt(first, blocks + row, k);
        targets[step] = rowsAt(first, 2u * blocks + column, k);
      }
      for (var step = 0u; step < AHEAD; step++) {
        if (AHEAD == 1u || next + step < blocks) {
          sums += transpose(targets[step]) * inverse[step];
          diagonal += vec4f(
            dot(inverse[step][0], inverse[step][0]),
            dot(inverse[step][1], inverse[step][1]),
            dot(inverse[step][2], inverse[step][2]),
            dot(inverse[step][3], inverse[step][3]),
          );
        }
      }
    }
    let leftOut = mat4x4f(
      sums[0] / diagonal.x,
      sums[1] / diagonal.y,
      sums[2] / diagonal.z,
      sums[3] / diagonal.w,
    );
    squares.y += squareSum(leftOut);
    let to = (head * 4u * blocks + 4u * row) * parameters.columns + column;
    dual[to] = sums[0];
    dual[to + parameters.columns] = sums[1];
    dual[to + 2u * parameters.columns] = sums[2];
    dual[to + 3u * parameters.columns] = sums[3];
  }
  let totals = sumOfLanes(squares, local);
  if (!(totals.y < totals.x)) {
    for (var tile = local; tile < blocks * parameters.columns; tile += LANES) {
      let to = (head * 4u * blocks + 4u * (tile / parameters.columns)) * parameters.columns + tile % parameters.columns;
      dual[to] = vec4f(0.0);
      dual[to + parameters.columns] = vec4f(0.0);
      dual[to + 2u * parameters.columns] = vec4f(0.0);
      dual[to + 3u * parameters.columns] = vec4f(0.0);
    }
  }
}
