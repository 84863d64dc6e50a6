// How keys and values differ together within clusters: see `Backend.fitSlope`. Two entry points, one after the other.
// parameters.heads, keys, probes, fitted, even, otherWeight, most: as there; columns, valueColumns: vec4s of a key and of a value;
// taken: sampled keys of a head; every: their stride; unit: scale · every / Σ ω.
// strips: strips of COLUMNS vec4s of a value. Defined in front: FOUR = 4; COLUMNS; LABELLED, 1 if keys have points of their own.

struct Parameters {
  heads: u32,
  keys: u32,
  probes: u32,
  fitted: u32,
  even: u32,
  otherWeight: f32,
  most: u32,
  columns: u32,
  valueColumns: u32,
  taken: u32,
  every: u32,
  unit: f32,
  strips: u32,
}

override LANES: u32;

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> key: array<vec4f>; // (heads, keys, 4 columns) f32
@group(0) @binding(2) var<storage, read> value: array<vec4f>; // (heads, keys, 4 valueColumns) f32
@group(0) @binding(3) var<storage, read> pointKey: array<vec4f>; // (heads, most, 4 columns) f32
@group(0) @binding(4) var<storage, read> pointValue: array<vec4f>; // (heads, most, 4 valueColumns) f32
@group(0) @binding(5) var<storage, read> labels: array<u32>; // (heads, keys) u32
@group(0) @binding(6) var<storage, read> probabilities: array<f32>; // (heads, probes, keys) f32
@group(0) @binding(7) var<storage, read_write> strays: array<vec4f>; // (heads, taken, 4 (columns + valueColumns)) f32
@group(0) @binding(8) var<storage, read_write> slope: array<vec4f>; // (heads, 4 columns, 4 valueColumns) f32

// unit · Σ_i ω_i P_ij · (k_j − κ) and v_j − z of one sampled key.
@compute @workgroup_size(64)
fn stray(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let head = at / parameters.taken;
  if (head >= parameters.heads) {
    return;
  }
  let j = (at % parameters.taken) * parameters.every;
  let row = head * parameters.keys + j;
  var even = 0.0;
  var other = 0.0;
  let first = head * parameters.probes * parameters.keys + j;
  for (var i = 0u; i < min(parameters.even, parameters.fitted); i++) {
    even += probabilities[first + i * parameters.keys];
  }
  for (var i = parameters.even; i < parameters.fitted; i++) {
    other += probabilities[first + i * parameters.keys];
  }
  let share = parameters.unit * fma(parameters.otherWeight, other, even);
  var point = head * parameters.most;
  if (LABELLED == 1u) {
    point += labels[row];
  }
  let columns = parameters.columns;
  let valueColumns = parameters.valueColumns;
  let to = at * (columns + valueColumns);
  for (var c = 0u; c < columns; c++) {
    strays[to + c] = share * (key[row * columns + c] - pointKey[point * columns + c]);
  }
  for (var c = 0u; c < valueColumns; c++) {
    strays[to + columns + c] = value[row * valueColumns + c] - pointValue[point * valueColumns + c];
  }
}

// Four rows of the slope in COLUMNS vec4s.
@compute @workgroup_size(LANES)
fn sumProducts(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * LANES + local;
  let columns = parameters.columns;
  let valueColumns = parameters.valueColumns;
  let head = at / (columns * parameters.strips);
  if (head >= parameters.heads) {
    return;
  }
  let rowBlock = (at / parameters.strips) % columns;
  let firstColumn = (at % parameters.strips) * COLUMNS;
  var sums: array<array<vec4f, COLUMNS>, FOUR>;
  for (var r = 0u; r < FOUR; r++) {
    for (var c = 0u; c < COLUMNS; c++) {
      sums[r][c] = vec4f(0.0);
    }
  }
  var place = head * parameters.taken * (columns + valueColumns);
  for (var i = 0u; i < parameters.taken; i++) {
    let keyStray = strays[place + rowBlock];
    for (var c = 0u; c < COLUMNS; c++) {
      // Columns past the end repeat the last one and are not stored.
      let valueStray = strays[place + columns + min(firstColumn + c, valueColumns - 1u)];
      for (var r = 0u; r < FOUR; r++) {
        sums[r][c] = fma(vec4f(keyStray[r]), valueStray, sums[r][c]);
      }
    }
    place += columns + valueColumns;
  }
  for (var r = 0u; r < FOUR; r++) {
    for (var c = 0u; c < COLUMNS; c++) {
      if (firstColumn + c < valueColumns) {
        slope[((head * columns + rowBlock) * FOUR + r) * valueColumns + firstColumn + c] = sums[r][c];
      }
    }
  }
}
