// The ridge regression that calibrates the values of points, from logits to the system that solve_ridge.wgsl solves: see
// `Backend.calibrateValues`. Put behind elementary.wgsl. Three dispatches: softmaxRows, columnScales, products.
// parameters.heads, probes, most: shape of `logits`; fitted, even, root: the first `fitted` probes are fitted, those from `even`
// on weighted by `root`; columns: vec4s of a value row; blocks: ⌈fitted/4⌉; unit: residuals are in units of this power of two, so
// that their squares neither overflow nor underflow; gramGroups: workgroups of `products` that take the Gram matrix.
// Defined in front: LANES lanes share a row of logits, ROWS rows a workgroup; WIDE: vec4s of a tile, TILE = 4 WIDE, FOUR = 4.
// TAKERS, invocations of a workgroup of tiles, of which PARTS, side by side, share the points of a tile: 1, or a multiple of TILE = 4;
// SUMS, as many as TAKERS where they share them, else 1.
// AHEAD, points that a lane of a tile loads at a time; LOADS, values that others do.
// An invocation makes at most 3 most turns in the loops of softmaxRows, (fitted + 1) most / SCALERS in those of columnScales, and most
// in those of products: 2,100 for 176 of 208 probes and 700 points.

struct Parameters {
  heads: u32,
  probes: u32,
  most: u32,
  fitted: u32,
  even: u32,
  root: f32,
  columns: u32,
  blocks: u32,
  unit: f32,
  gramGroups: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> logits: array<f32>; // (heads, probes, most) f32
@group(0) @binding(2) var<storage, read> clusters: array<u32>; // (heads) u32
@group(0) @binding(3) var<storage, read> value: array<vec4f>; // (heads, most, 4 columns) f32
@group(0) @binding(4) var<storage, read> output: array<vec4f>; // (heads, probes, 4 columns) f32
@group(0) @binding(5) var<storage, read> mean: array<vec4f>; // (heads, 4 columns) f32
// (heads, probes + 1, most) f32: softmax rows; and what the columns of the weighted ones are multiplied by.
@group(0) @binding(6) var<storage, read_write> weights: array<f32>;
@group(0) @binding(7) var<storage, read_write> system: array<vec4f>; // see solve_ridge.wgsl

override SCALERS: u32;

var<workgroup> partial: array<f32, ROWS * LANES>;
// Sums of the parts of a tile of one vec4.
var<workgroup> partialSums: array<array<vec4f, TILE>, SUMS>;
// Bits of the largest root mean square: those of floats that are not negative are in the order of their values.
var<workgroup> largestBits: atomic<u32>;

// First softmax row of a head; the factors of its columns follow the last one.
fn weightsOf(head: u32) -> u32 {
  return head * (parameters.probes + 1u) * parameters.most;
}

// Square roots of the weights of fitted probes; 0 beyond them.
fn rootsOf(probe: vec4u) -> vec4f {
  let weighted = select(vec4f(parameters.root), vec4f(1.0), probe < vec4u(parameters.even));
  return select(weighted, vec4f(0.0), probe >= vec4u(parameters.fitted));
}

@compute @workgroup_size(ROWS * LANES)
fn softmaxRows(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = (workgroup.x + workgroup.y * workgroups.x) * ROWS + local / LANES;
  let lane = local % LANES;
  // Rows past the end have no points, since their lanes must take part in the barriers.
  let head = min(row / parameters.probes, parameters.heads - 1u);
  let size = select(0u, clusters[head], row < parameters.heads * parameters.probes);
  let start = row * parameters.most;
  let to = start + head * parameters.most;
  var largest = EMPTY;
  for (var s = lane; s < size; s += LANES) {
    largest = max(largest, logits[start + s]);
  }
  if (LANES > 1u) {
    partial[local] = largest;
    workgroupBarrier();
    for (var distance = LANES / 2u; distance > 0u; distance /= 2u) {
      if (lane < distance) {
        partial[local] = max(partial[local], partial[local + distance]);
      }
      workgroupBarrier();
    }
    largest = partial[local - lane];
    workgroupBarrier();
  }
  var total = 0.0;
  for (var s = lane; s < size; s += LANES) {
    let weight = exponential(max(logits[start + s] - largest, -87.0));
    weights[to + s] = weight;
    total += weight;
  }
  if (LANES > 1u) {
    partial[local] = total;
    workgroupBarrier();
    for (var distance = LANES / 2u; distance > 0u; distance /= 2u) {
      if (lane < distance) {
        partial[local] += partial[local + distance];
      }
      workgroupBarrier();
    }
    total = partial[local - lane];
  }
  for (var s = lane; s < size; s += LANES) {
    weights[to + s] /= total;
  }
}

// One workgroup per head.
@compute @workgroup_size(SCALERS)
fn columnScales(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let head = workgroup.x + workgroup.y * workgroups.x;
  if (head >= parameters.heads) {
    return;
  }
  let size = clusters[head];
  let first = weightsOf(head);
  let scales = first + parameters.probes * parameters.most;
  var largest = 0.0;
  for (var s = local; s < size; s += SCALERS) {
    var even = 0.0;
    var other = 0.0;
    for (var next = 0u; next < parameters.fitted; next += LOADS) {
      var ahead: array<f32, LOADS>;
      for (var step = 0u; step < LOADS; step++) {
        ahead[step] = weights[first + min(next + step, parameters.fitted - 1u) * parameters.most + s];
      }
      for (var step = 0u; step < LOADS; step++) {
        let i = next + step;
        let weight = select(parameters.root, 1.0, i < parameters.even) * ahead[step];
        let square = select(0.0, weight * weight, LOADS == 1u || i < parameters.fitted);
        even += select(0.0, square, i < parameters.even);
        other += select(square, 0.0, i < parameters.even);
      }
    }
    let norm = sqrt((even + other) / f32(parameters.fitted));
    weights[scales + s] = norm;
    largest = max(largest, norm);
  }
  atomicMax(&largestBits, bitcast<u32>(largest));
  workgroupBarrier();
  let least = LEAST_COLUMN * bitcast<f32>(atomicLoad(&largestBits));
  for (var s = local; s < size; s += SCALERS) {
    weights[scales + s] = inverseSqrt(max(weights[scales + s], least));
  }
}

// The Gram matrix of the weighted and scaled rows, and the residual of the plain values: one dispatch, since neither needs the
// other.
@compute @workgroup_size(TAKERS)
fn products(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let group = workgroup.x + workgroup.y * workgroups.x;
  let takers = TAKERS / PARTS;
  if (group < parameters.gramGroups) {
    gram(group * takers + local / PARTS, local);
  } else {
    residual((group - parameters.gramGroups) * takers + local / PARTS, local);
  }
}

// Sums of a tile of one vec4 over its parts, of which each gets a row.
fn joinParts(own: array<vec4f, TILE>, local: u32) -> vec4f {
  partialSums[local] = own;
  workgroupBarrier();
  let part = local % PARTS;
  var sum = vec4f(0.0);
  for (var other = 0u; other < PARTS; other++) {
    sum += partialSums[local - part + other][part % TILE];
  }
  return sum;
}

// A tile of TILE rows by TILE columns on or below the diagonal: few loads for each product. All lanes take part in the barrier.
fn gram(tile: u32, local: u32) {
  // Of n rows of tiles the first, with one tile, is put beside the last, with n, and so on: n + 1 tiles each.
  let tiles = (parameters.blocks + WIDE - 1u) / WIDE;
  let pairs = (tiles + 1u) / 2u;
  let head = min(tile / (pairs * (tiles + 1u)), parameters.heads - 1u);
  let pair = tile / (tiles + 1u) % pairs;
  let place = tile % (tiles + 1u);
  let ofLast = place > pair;
  let rowTile = select(pair, tiles - 1u - pair, ofLast);
  let columnTile = select(place, place - pair - 1u, ofLast);
  // The row in the middle has no other beside it.
  let isThere = tile < parameters.heads * pairs * (tiles + 1u) && !(ofLast && rowTile == pair);
  let part = local % PARTS;
  let size = clusters[head];
  let first = weightsOf(head);
  let scales = first + parameters.probes * parameters.most;
  var rows: array<u32, TILE>;
  var others: array<u32, TILE>;
  var sums: array<array<vec4f, TILE>, WIDE>;
  for (var r = 0u; r < TILE; r++) {
    // Rows past the end repeat the last one; their roots are 0.
    rows[r] = first + min(rowTile * TILE + r, parameters.fitted - 1u) * parameters.most;
    others[r] = first + min(columnTile * TILE + r, parameters.fitted - 1u) * parameters.most;
    for (var h = 0u; h < WIDE; h++) {
      sums[h][r] = vec4f(0.0);
    }
  }
  for (var next = part; next < select(0u, size, isThere); next += AHEAD * PARTS) {
    var scale: array<f32, AHEAD>;
    var own: array<array<vec4f, WIDE>, AHEAD>;
    var weight: array<array<f32, TILE>, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      // Points past the end repeat the last one, and count 0.
      let s = min(next + step * PARTS, size - 1u);
      scale[step] = weights[scales + s];
      for (var h = 0u; h < WIDE; h++) {
        own[step][h] = vec4f(
          weights[others[4u * h] + s],
          weights[others[4u * h + 1u] + s],
          weights[others[4u * h + 2u] + s],
          weights[others[4u * h + 3u] + s],
        );
      }
      for (var r = 0u; r < TILE; r++) {
        weight[step][r] = weights[rows[r] + s];
      }
    }
    for (var step = 0u; step < AHEAD; step++) {
      let factor = select(0.0, scale[step], AHEAD == 1u || next + step * PARTS < size);
      for (var h = 0u; h < WIDE; h++) {
        let scaled = factor * own[step][h];
        for (var r = 0u; r < TILE; r++) {
          sums[h][r] = fma(vec4f(factor * weight[step][r]), scaled, sums[h][r]);
        }
      }
    }
  }
  let start = head * (8u * parameters.blocks + 4u * parameters.columns) * parameters.blocks;
  if (PARTS > 1u) {
    let sum = joinParts(sums[0], local);
    if (isThere && part < TILE) {
      storeProduct(start, rowTile * TILE + part, columnTile, sum);
    }
  } else if (isThere) {
    for (var h = 0u; h < WIDE; h++) {
      for (var r = 0u; r < TILE; r++) {
        storeProduct(start, rowTile * TILE + r, columnTile * WIDE + h, sums[h][r]);
      }
    }
  }
}

fn storeProduct(start: u32, row: u32, block: u32, sum: vec4f) {
  let roots = rootsOf(vec4u(4u * block) + vec4u(0u, 1u, 2u, 3u));
  if (row < 4u * parameters.blocks && block < parameters.blocks) {
    system[start + row * parameters.blocks + block] = rootsOf(vec4u(row)).x * roots * sum;
  }
}

// What the centred values leave of the centred outputs of TILE probes in WIDE vec4s of columns.
fn residual(tile: u32, local: u32) {
  let rowTiles = (parameters.blocks + WIDE - 1u) / WIDE;
  let columnTiles = (parameters.columns + WIDE - 1u) / WIDE;
  let head = min(tile / (rowTiles * columnTiles), parameters.heads - 1u);
  let rowTile = tile / columnTiles % rowTiles;
  let columnTile = tile % columnTiles;
  let isThere = tile < parameters.heads * rowTiles * columnTiles;
  let part = local % PARTS;
  let size = clusters[head];
  let first = weightsOf(head);
  var rows: array<u32, TILE>;
  var columns: array<u32, WIDE>;
  var means: array<vec4f, WIDE>;
  var sums: array<array<vec4f, TILE>, WIDE>;
  for (var h = 0u; h < WIDE; h++) {
    columns[h] = min(columnTile * WIDE + h, parameters.columns - 1u);
    means[h] = mean[head * parameters.columns + columns[h]];
  }
  for (var r = 0u; r < TILE; r++) {
    rows[r] = min(rowTile * TILE + r, parameters.fitted - 1u);
    for (var h = 0u; h < WIDE; h++) {
      sums[h][r] = vec4f(0.0);
    }
  }
  for (var next = part; next < select(0u, size, isThere); next += AHEAD * PARTS) {
    var centred: array<array<vec4f, WIDE>, AHEAD>;
    var weight: array<array<f32, TILE>, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      let s = min(next + step * PARTS, size - 1u);
      let point = (head * parameters.most + s) * parameters.columns;
      for (var h = 0u; h < WIDE; h++) {
        centred[step][h] = value[point + columns[h]];
      }
      for (var r = 0u; r < TILE; r++) {
        weight[step][r] = weights[first + rows[r] * parameters.most + s];
      }
    }
    for (var step = 0u; step < AHEAD; step++) {
      let own = select(0.0, 1.0, AHEAD == 1u || next + step * PARTS < size);
      for (var h = 0u; h < WIDE; h++) {
        let difference = own * (centred[step][h] - means[h]);
        for (var r = 0u; r < TILE; r++) {
          sums[h][r] = fma(vec4f(weight[step][r]), difference, sums[h][r]);
        }
      }
    }
  }
  let start = (head * (8u * parameters.blocks + 4u * parameters.columns) + 8u * parameters.blocks) * parameters.blocks;
  let ofHead = head * parameters.probes;
  if (PARTS > 1u) {
    let row = rowTile * TILE + part % TILE;
    let exact = output[(ofHead + min(row, parameters.fitted - 1u)) * parameters.columns + columns[0]] - means[0];
    let left = residue(row, exact - joinParts(sums[0], local));
    workgroupBarrier();
    partialSums[local][0] = left;
    workgroupBarrier();
    if (isThere && part < TILE) {
      var four: vec4f;
      for (var r = 0u; r < FOUR; r++) {
        four[r] = partialSums[local - part + r][0][part];
      }
      system[start + (4u * columnTile + part) * parameters.blocks + rowTile] = four;
    }
  } else if (isThere) {
    for (var h = 0u; h < WIDE; h++) {
      for (var b = 0u; b < WIDE; b++) {
        var four: array<vec4f, FOUR>;
        for (var r = 0u; r < FOUR; r++) {
          let exact = output[(ofHead + rows[4u * b + r]) * parameters.columns + columns[h]] - means[h];
          four[r] = residue(rowTile * TILE + 4u * b + r, exact - sums[h][4u * b + r]);
        }
        let block = rowTile * WIDE + b;
        let column = columnTile * WIDE + h;
        if (block < parameters.blocks && column < parameters.columns) {
          let turned = transpose(mat4x4f(four[0], four[1], four[2], four[3]));
          for (var c = 0u; c < FOUR; c++) {
            system[start + (4u * column + c) * parameters.blocks + block] = turned[c];
          }
        }
      }
    }
  }
}

fn residue(row: u32, left: vec4f) -> vec4f {
  return rootsOf(vec4u(row)).x * (left / parameters.unit);
}
