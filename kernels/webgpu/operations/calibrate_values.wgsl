// Values of points from the dual solution of their ridge regression, and what the probes held out say of them: see
// `Backend.calibrateValues`. Two dispatches: correct, judge.
// parameters.heads, probes, most: shape of `weights`; fitted, even, root, columns, blocks, unit: as for ridge_system.wgsl;
// largest: bound on the values. Defined in front: WIDE: vec4s of a tile, TILE = 4 WIDE, FOUR = 4; TAKERS,
// invocations of a workgroup of tiles; PROBES and AHEAD, probes of these and points that a lane loads at a time.
// An invocation makes `fitted` turns in the loops of correct. In those of judge, with m = probes - fitted, it makes about
// ((m/4 + 1) most columns + m (columns + m)) / LANES: 6,400 for m = 32, 700 points, 64 columns and 64 lanes.

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
  largest: f32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> clusters: array<u32>; // (heads) u32
@group(0) @binding(2) var<storage, read> value: array<vec4f>; // (heads, most, 4 columns) f32
@group(0) @binding(3) var<storage, read> output: array<vec4f>; // (heads, probes, 4 columns) f32
@group(0) @binding(4) var<storage, read> mean: array<vec4f>; // (heads, 4 columns) f32
@group(0) @binding(5) var<storage, read> weights: array<f32>; // (heads, probes + 1, most) f32, see ridge_system.wgsl
@group(0) @binding(6) var<storage, read> dual: array<vec4f>; // (heads, 4 blocks, 4 columns) f32
// (heads, probes - fitted, columns + 1) vec4f: of a probe's prediction in each vec4 of columns, and in all, the product with the exact
// output, the square, and the squares of their difference and of the exact output.
@group(0) @binding(7) var<storage, read_write> moments: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> calibrated: array<vec4f>; // (heads, most, 4 columns) f32; centred after `correct`

override LANES: u32;

const ONE_BITS = 0x3f800000u;

// Bits of the least factor: those of floats that are not negative are in the order of their values.
var<workgroup> factorBits: atomic<u32>;
var<workgroup> partial: array<vec4f, LANES>;

// TILE points in WIDE vec4s of columns: few loads for each product.
@compute @workgroup_size(TAKERS)
fn correct(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let tile = (workgroup.x + workgroup.y * workgroups.x) * TAKERS + local;
  let pointTiles = (parameters.most + TILE - 1u) / TILE;
  let columnTiles = (parameters.columns + WIDE - 1u) / WIDE;
  let head = tile / (pointTiles * columnTiles);
  let firstPoint = tile / columnTiles % pointTiles * TILE;
  let columnTile = tile % columnTiles;
  if (head >= parameters.heads) {
    return;
  }
  let first = head * (parameters.probes + 1u) * parameters.most;
  var points: array<u32, TILE>;
  var columns: array<u32, WIDE>;
  var sums: array<array<vec4f, WIDE>, TILE>;
  for (var h = 0u; h < WIDE; h++) {
    columns[h] = min(columnTile * WIDE + h, parameters.columns - 1u);
  }
  for (var r = 0u; r < TILE; r++) {
    points[r] = min(firstPoint + r, parameters.most - 1u);
    for (var h = 0u; h < WIDE; h++) {
      sums[r][h] = vec4f(0.0);
    }
  }
  for (var next = 0u; next < parameters.fitted; next += PROBES) {
    var weighted: array<array<vec4f, WIDE>, PROBES>;
    var weight: array<array<f32, TILE>, PROBES>;
    for (var step = 0u; step < PROBES; step++) {
      // Probes past the end repeat the last one, and count 0.
      let i = min(next + step, parameters.fitted - 1u);
      let row = (head * 4u * parameters.blocks + i) * parameters.columns;
      for (var h = 0u; h < WIDE; h++) {
        weighted[step][h] = dual[row + columns[h]];
      }
      for (var r = 0u; r < TILE; r++) {
        weight[step][r] = weights[first + i * parameters.most + points[r]];
      }
    }
    for (var step = 0u; step < PROBES; step++) {
      let root = select(parameters.root, 1.0, next + step < parameters.even);
      let own = select(0.0, root, PROBES == 1u || next + step < parameters.fitted);
      for (var h = 0u; h < WIDE; h++) {
        let scaled = own * weighted[step][h];
        for (var r = 0u; r < TILE; r++) {
          sums[r][h] = fma(vec4f(weight[step][r]), scaled, sums[r][h]);
        }
      }
    }
  }
  let bound = vec4f(parameters.largest);
  for (var h = 0u; h < WIDE; h++) {
    let column = columnTile * WIDE + h;
    let centre = mean[head * parameters.columns + columns[h]];
    for (var r = 0u; r < TILE; r++) {
      let point = firstPoint + r;
      let at = (head * parameters.most + point) * parameters.columns + column;
      if (point < parameters.most && column < parameters.columns) {
        // Once for the column of the design, once for its place in the correction.
        let scale = weights[first + parameters.probes * parameters.most + point];
        let corrected = (value[at] - centre) + parameters.unit * (scale * (scale * sums[r][h]));
        let within = min(bound - centre, max(-bound - centre, corrected));
        calibrated[at] = select(vec4f(0.0), within, point < clusters[head]);
      }
    }
  }
}

// One workgroup per head: the factor for its centred values, and the values.
@compute @workgroup_size(LANES)
fn judge(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let head = workgroup.x + workgroup.y * workgroups.x;
  if (head >= parameters.heads) {
    return;
  }
  if (local == 0u) {
    atomicStore(&factorBits, ONE_BITS);
  }
  let size = clusters[head];
  let columns = parameters.columns;
  let judges = parameters.probes - parameters.fitted;
  let own = head * judges * (columns + 1u);
  // Where there are more lanes than tiles several share the points of one.
  let tiles = (judges + 3u) / 4u * columns;
  let wide = clamp(tiles, 1u, LANES);
  let parts = LANES / wide;
  let part = local / wide;
  for (var firstTile = 0u; firstTile < tiles; firstTile += wide) {
    let tile = firstTile + local % wide;
    let isThere = tile < tiles && part < parts;
    let column = tile % columns;
    let firstRow = tile / columns * FOUR;
    let centre = mean[head * columns + column];
    var rows: array<u32, FOUR>;
    var sums: array<vec4f, FOUR>;
    for (var r = 0u; r < FOUR; r++) {
      let probe = parameters.fitted + min(firstRow + r, judges - 1u);
      rows[r] = (head * (parameters.probes + 1u) + probe) * parameters.most;
      sums[r] = vec4f(0.0);
    }
    for (var next = part; next < select(0u, size, isThere); next += AHEAD * parts) {
      var centred: array<vec4f, AHEAD>;
      var weight: array<array<f32, FOUR>, AHEAD>;
      for (var step = 0u; step < AHEAD; step++) {
        let s = min(next + step * parts, size - 1u);
        centred[step] = calibrated[(head * parameters.most + s) * columns + column];
        for (var r = 0u; r < FOUR; r++) {
          weight[step][r] = weights[rows[r] + s];
        }
      }
      for (var step = 0u; step < AHEAD; step++) {
        let own = select(0.0, 1.0, AHEAD == 1u || next + step * parts < size);
        for (var r = 0u; r < FOUR; r++) {
          sums[r] = fma(vec4f(own * weight[step][r]), centred[step], sums[r]);
        }
      }
    }
    if (parts > 1u) {
      for (var r = 0u; r < FOUR; r++) {
        partial[local] = sums[r];
        workgroupBarrier();
        if (part == 0u) {
          for (var other = 1u; other < parts; other++) {
            sums[r] += partial[other * wide + local];
          }
        }
        workgroupBarrier();
      }
    }
    for (var r = 0u; r < FOUR; r++) {
      let row = firstRow + r;
      if (row < judges && isThere && part == 0u) {
        // In units, since squares of large values would overflow.
        let exact = (output[(head * parameters.probes + parameters.fitted + row) * columns + column] - centre) / parameters.unit;
        let predicted = sums[r] / parameters.unit;
        let wrong = predicted - exact;
        moments[own + row * (columns + 1u) + column] =
          vec4f(dot(predicted, exact), dot(predicted, predicted), dot(wrong, wrong), dot(exact, exact));
      }
    }
  }
  storageBarrier();
  for (var row = local; row < judges; row += LANES) {
    let at = own + row * (columns + 1u);
    var sum = vec4f(0.0);
    for (var column = 0u; column < columns; column += AHEAD) {
      var ahead: array<vec4f, AHEAD>;
      for (var step = 0u; step < AHEAD; step++) {
        ahead[step] = moments[at + min(column + step, columns - 1u)];
      }
      for (var step = 0u; step < AHEAD; step++) {
        sum += select(0.0, 1.0, AHEAD == 1u || column + step < columns) * ahead[step];
      }
    }
    moments[at + columns] = sum;
  }
  storageBarrier();
  for (var row = local; row < judges; row += LANES) {
    var all = vec4f(0.0);
    var others = vec4f(0.0);
    for (var next = 0u; next < judges; next += AHEAD) {
      var ahead: array<vec4f, AHEAD>;
      for (var step = 0u; step < AHEAD; step++) {
        ahead[step] = moments[own + min(next + step, judges - 1u) * (columns + 1u) + columns];
      }
      for (var step = 0u; step < AHEAD; step++) {
        let sum = select(0.0, 1.0, AHEAD == 1u || next + step < judges) * ahead[step];
        all += sum;
        others += select(sum, vec4f(0.0), next + step == row);
      }
    }
    if (all.z > USELESS * USELESS * all.w) {
      var factor = 0.0;
      if (others.y > 0.0) {
        factor = clamp(others.x / others.y, 0.0, 1.0);
      }
      atomicMin(&factorBits, bitcast<u32>(factor));
    }
  }
  workgroupBarrier();
  let factor = bitcast<f32>(atomicLoad(&factorBits));
  // Beyond the clusters values stay 0.
  let across = min(columns, LANES);
  let down = LANES / across;
  let first = local / across;
  for (var firstColumn = 0u; firstColumn < columns; firstColumn += across) {
    let column = firstColumn + local % across;
    let centre = mean[head * columns + min(column, columns - 1u)];
    let end = select(0u, size, first < down && column < columns);
    for (var next = first; next < end; next += AHEAD * down) {
      // Compilers would bring loads behind a branch around the stores: past the end a lane stores its last row again.
      let last = next + (end - 1u - next) / down * down;
      var ahead: array<vec4f, AHEAD>;
      for (var step = 0u; step < AHEAD; step++) {
        let s = min(next + step * down, last);
        ahead[step] = fma(vec4f(factor), calibrated[(head * parameters.most + s) * columns + column], centre);
      }
      for (var step = 0u; step < AHEAD; step++) {
        let s = min(next + step * down, last);
        calibrated[(head * parameters.most + s) * columns + column] = ahead[step];
      }
    }
  }
}
