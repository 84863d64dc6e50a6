// How keys and values differ together within clusters: see `Backend.fitSlope`. Two entry points, one after the other.
// parameters.heads, keys, probes, fitted, even, otherWeight, most: as there; columns, valueColumns: vec4s of a key and of a value;
// taken: sampled keys of a head; every: their stride; unit: scale · every / Σ ω.
// Defined in front: FOUR = 4.

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
}

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
  let point = head * parameters.most + labels[row];
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

// Four rows of the slope in four of its columns.
@compute @workgroup_size(64)
fn sumProducts(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let columns = parameters.columns;
  let valueColumns = parameters.valueColumns;
  let head = at / (columns * valueColumns);
  if (head >= parameters.heads) {
    return;
  }
  let rowBlock = (at / valueColumns) % columns;
  let column = at % valueColumns;
  var sums: array<vec4f, FOUR>;
  for (var r = 0u; r < FOUR; r++) {
    sums[r] = vec4f(0.0);
  }
  var place = head * parameters.taken * (columns + valueColumns);
  for (var i = 0u; i < parameters.taken; i++) {
    let keyStray = strays[place + rowBlock];
    let valueStray = strays[place + columns + column];
    for (var r = 0u; r < FOUR; r++) {
      sums[r] = fma(vec4f(keyStray[r]), valueStray, sums[r]);
    }
    place += columns + valueColumns;
  }
  for (var r = 0u; r < FOUR; r++) {
    slope[((head * columns + rowBlock) * FOUR + r) * valueColumns + column] = sums[r];
  }
}
