// Means of the keys and of the values of clusters, for fitted points: see `Backend.fitPoints`. Put behind elementary.wgsl.
// parameters.heads, keys, probes, most: shapes; columns: vec4s of a row. Defined in front: FOUR = 4; PLACES, places
// that a search looks at in a turn.

struct Parameters {
  heads: u32,
  keys: u32,
  probes: u32,
  most: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> rows: array<vec4f>; // (heads, keys, 4 columns) f32: keys or values.
@group(0) @binding(2) var<storage, read> labels: array<u32>; // (heads, keys) u32
@group(0) @binding(3) var<storage, read> order: array<u32>; // (heads, keys) u32
@group(0) @binding(4) var<storage, read> clusters: array<u32>; // (heads) u32
@group(0) @binding(5) var<storage, read> fit: array<f32>; // As fit_masses.wgsl leaves it.
@group(0) @binding(6) var<storage, read_write> means: array<vec4f>; // (heads, most, 4 columns) f32
@group(0) @binding(7) var<storage, read_write> logMass: array<f32>; // (heads, most) f32
@group(0) @binding(8) var<storage, read_write> logits: array<f32>; // (heads, probes, most) f32

override LANES: u32;

var<workgroup> bounds: array<u32, 2>;
var<workgroup> partial: array<vec4f, LANES>;
var<workgroup> partialMass: array<f32, LANES>;
// What all lanes must agree on.
var<workgroup> agreed: f32;

// First place in the order of a head whose key has a label of at least `label`.
fn firstOf(head: u32, label: u32) -> u32 {
  let start = head * parameters.keys;
  var low = 0u;
  var high = parameters.keys;
  while (low < high) {
    // So many places look at once where loads are waited for; one in the middle otherwise.
    let stride = (high - low) / (PLACES + 1u) + 1u;
    var found: array<u32, PLACES>;
    for (var place = 0u; place < PLACES; place++) {
      found[place] = order[start + min(low + (place + 1u) * stride - 1u, high - 1u)];
    }
    for (var place = 0u; place < PLACES; place++) {
      found[place] = labels[start + found[place]];
    }
    let before = low;
    for (var place = 0u; place < PLACES; place++) {
      let middle = min(before + (place + 1u) * stride - 1u, high - 1u);
      low = select(low, middle + 1u, found[place] < label);
    }
    for (var place = 0u; place < PLACES; place++) {
      let middle = before + (place + 1u) * stride - 1u;
      high = select(high, min(high, middle), found[place] >= label && middle < high);
    }
  }
  return low;
}

// Finds the places in the order that the members of a cluster take, for meanOf.
fn findMembers(head: u32, cluster: u32, local: u32) {
  if (local < 2u) {
    bounds[local] = firstOf(head, cluster + local);
  }
  workgroupBarrier();
}

// Mean row of the members under masses that stand in `fit` from a place on, one for each key; returns the sum of the masses.
fn meanOf(point: u32, masses: u32, local: u32) -> f32 {
  let columns = parameters.columns;
  let start = point / parameters.most * parameters.keys;
  // Lanes that do not share a column take every so many-th member.
  let wide = min(columns, LANES);
  let parts = LANES / wide;
  let part = local / wide;
  let end = select(0u, bounds[1], part < parts);
  var total = 0.0;
  for (var firstColumn = 0u; firstColumn < columns; firstColumn += wide) {
    let column = firstColumn + local % wide;
    var sum = vec4f(0.0);
    var mass = 0.0;
    for (var next = bounds[0] + part; next < end; next += FOUR * parts) {
      var picked: array<u32, FOUR>;
      var own: array<f32, FOUR>;
      var ahead: array<vec4f, FOUR>;
      for (var step = 0u; step < FOUR; step++) {
        picked[step] = start + order[start + min(next + step * parts, end - 1u)];
      }
      for (var step = 0u; step < FOUR; step++) {
        own[step] = fit[masses + picked[step]];
        ahead[step] = rows[picked[step] * columns + min(column, columns - 1u)];
      }
      for (var step = 0u; step < FOUR; step++) {
        let counted = select(0.0, own[step], next + step * parts < end);
        mass += counted;
        sum = fma(vec4f(counted), ahead[step], sum);
      }
    }
    partial[local] = sum;
    partialMass[local] = mass;
    workgroupBarrier();
    if (part == 0u && column < columns) {
      total = mass;
      for (var other = 1u; other < parts; other++) {
        sum += partial[other * wide + local];
        total += partialMass[other * wide + local];
      }
      means[point * columns + column] = sum / total;
    }
    workgroupBarrier();
  }
  if (local == 0u) {
    agreed = total;
  }
  return workgroupUniformLoad(&agreed);
}

// What stands where there is no cluster: numbers, since hidden points are multiplied by 0.
fn clear(point: u32, local: u32) {
  for (var column = local; column < parameters.columns; column += LANES) {
    means[point * parameters.columns + column] = vec4f(0.0);
  }
}

// Mean keys under the masses that the probes see.
@compute @workgroup_size(LANES)
fn pointKeys(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let point = workgroup.x + workgroup.y * workgroups.x;
  let head = point / parameters.most;
  let cluster = point % parameters.most;
  if (head >= parameters.heads) {
    return;
  }
  if (cluster >= clusters[head]) {
    clear(point, local);
    return;
  }
  findMembers(head, cluster, local);
  _ = meanOf(point, 0u, local);
}

// Mean values under the fitted masses, and what these make of the logits; EMPTY beyond the clusters.
@compute @workgroup_size(LANES)
fn pointValues(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let point = workgroup.x + workgroup.y * workgroups.x;
  let head = point / parameters.most;
  let cluster = point % parameters.most;
  if (head >= parameters.heads) {
    return;
  }
  let firstLogit = head * parameters.probes * parameters.most + cluster;
  if (cluster >= clusters[head]) {
    for (var i = local; i < parameters.probes; i += LANES) {
      logits[firstLogit + i * parameters.most] = EMPTY;
    }
    clear(point, local);
    if (local == 0u) {
      logMass[point] = EMPTY;
    }
    return;
  }
  findMembers(head, cluster, local);
  let rows = parameters.heads * parameters.keys;
  let points = parameters.heads * parameters.most;
  var mass = meanOf(point, rows, local);
  if (!(mass > LEAST_TOTAL)) {
    mass = meanOf(point, 0u, local) / fit[2u * rows + points + point];
  }
  let own = logarithm(mass) - fit[2u * rows + point];
  for (var i = local; i < parameters.probes; i += LANES) {
    logits[firstLogit + i * parameters.most] += own;
  }
  if (local == 0u) {
    logMass[point] = own;
  }
}
