// How keys and values differ together within clusters: see `Backend.fitSlope`. Behind member_of_part.wgsl. Two entry points, one after the other.
// parameters.heads, keys, probes, fitted, even, otherWeight, most: as there; columns, valueColumns: vec4s of a key and of a value;
// taken: sampled keys of a head; every: keys of which one is taken; unit: scale · every / Σ ω.
// strips: strips of COLUMNS vec4s of a value. Defined in front: FOUR = 4; COLUMNS; LABELLED, 1 if keys have points of their own; PARTS,
// lanes that share the keys of a sum; SHARING, lanes that share a key; AHEAD, keys or probabilities that a lane loads at a time.

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

var<workgroup> weighted: array<f32, 64>;

// unit · Σ_i ω_i P_ij · (k_j − κ) and v_j − z of one sampled key, by SHARING lanes that follow one another.
@compute @workgroup_size(64)
fn stray(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let lane = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let at = lane / SHARING;
  let part = lane % SHARING;
  let head = min(at / parameters.taken, parameters.heads - 1u);
  let j = memberOfPart(at % parameters.taken, parameters.every, parameters.keys);
  let row = head * parameters.keys + j;
  var even = 0.0;
  var other = 0.0;
  let first = head * parameters.probes * parameters.keys + j;
  for (var next = part; next < parameters.fitted; next += AHEAD * SHARING) {
    var ahead: array<f32, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      ahead[step] = probabilities[first + min(next + step * SHARING, parameters.fitted - 1u) * parameters.keys];
    }
    for (var step = 0u; step < AHEAD; step++) {
      let probe = next + step * SHARING;
      let own = select(0.0, ahead[step], AHEAD == 1u || probe < parameters.fitted);
      even += select(0.0, own, probe < parameters.even);
      other += select(own, 0.0, probe < parameters.even);
    }
  }
  var sum = fma(parameters.otherWeight, other, even);
  if (SHARING > 1u) {
    weighted[local] = sum;
    workgroupBarrier();
    sum = 0.0;
    for (var lane = 0u; lane < SHARING; lane++) {
      sum += weighted[local - part + lane];
    }
  }
  if (at >= parameters.heads * parameters.taken) {
    return;
  }
  let share = parameters.unit * sum;
  var point = head * parameters.most;
  if (LABELLED == 1u) {
    point += labels[row];
  }
  let columns = parameters.columns;
  let valueColumns = parameters.valueColumns;
  let to = at * (columns + valueColumns);
  for (var c = part; c < max(columns, valueColumns); c += SHARING) {
    // Columns past the end repeat the last one and are not stored.
    let keyColumn = min(c, columns - 1u);
    let valueColumn = min(c, valueColumns - 1u);
    let ownKey = key[row * columns + keyColumn];
    let centreKey = pointKey[point * columns + keyColumn];
    let ownValue = value[row * valueColumns + valueColumn];
    let centreValue = pointValue[point * valueColumns + valueColumn];
    if (c < columns) {
      strays[to + c] = share * (ownKey - centreKey);
    }
    if (c < valueColumns) {
      strays[to + columns + c] = ownValue - centreValue;
    }
  }
}

var<workgroup> partial: array<vec4f, LANES>;

// Four rows of the slope in COLUMNS vec4s. Lanes that share the keys of a sum follow one another.
@compute @workgroup_size(LANES)
fn sumProducts(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let lane = (workgroup.x + workgroup.y * workgroups.x) * LANES + local;
  let at = lane / PARTS;
  let part = lane % PARTS;
  let columns = parameters.columns;
  let valueColumns = parameters.valueColumns;
  let head = at / (columns * parameters.strips);
  let taken = select(0u, parameters.taken, head < parameters.heads);
  let rowBlock = (at / parameters.strips) % columns;
  let firstColumn = (at % parameters.strips) * COLUMNS;
  let width = columns + valueColumns;
  let first = head * parameters.taken * width;
  var sums: array<array<vec4f, COLUMNS>, FOUR>;
  for (var r = 0u; r < FOUR; r++) {
    for (var c = 0u; c < COLUMNS; c++) {
      sums[r][c] = vec4f(0.0);
    }
  }
  for (var i = part; i < taken; i += AHEAD * PARTS) {
    var keyStrays: array<vec4f, AHEAD>;
    var valueStrays: array<array<vec4f, COLUMNS>, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      // Keys past the end count 0; columns past it repeat the last one and are not stored.
      let place = first + min(i + step * PARTS, taken - 1u) * width;
      keyStrays[step] = strays[place + rowBlock];
      for (var c = 0u; c < COLUMNS; c++) {
        valueStrays[step][c] = strays[place + columns + min(firstColumn + c, valueColumns - 1u)];
      }
    }
    for (var step = 0u; step < AHEAD; step++) {
      let own = select(0.0, 1.0, AHEAD == 1u || i + step * PARTS < taken) * keyStrays[step];
      for (var r = 0u; r < FOUR; r++) {
        for (var c = 0u; c < COLUMNS; c++) {
          sums[r][c] = fma(vec4f(own[r]), valueStrays[step][c], sums[r][c]);
        }
      }
    }
  }
  if (PARTS > 1u) {
    for (var r = 0u; r < FOUR; r++) {
      for (var c = 0u; c < COLUMNS; c++) {
        partial[local] = sums[r][c];
        workgroupBarrier();
        for (var distance = PARTS / 2u; distance > 0u; distance /= 2u) {
          if (part < distance) {
            partial[local] += partial[local + distance];
          }
          workgroupBarrier();
        }
        sums[r][c] = partial[local];
      }
    }
  }
  if (head >= parameters.heads || part > 0u) {
    return;
  }
  for (var r = 0u; r < FOUR; r++) {
    for (var c = 0u; c < COLUMNS; c++) {
      if (firstColumn + c < valueColumns) {
        slope[((head * columns + rowBlock) * FOUR + r) * valueColumns + firstColumn + c] = sums[r][c];
      }
    }
  }
}
