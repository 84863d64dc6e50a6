// Masses of keys and weights of probes for fitted points: see `Backend.fitPoints`. Put behind elementary.wgsl.
// parameters.heads, keys, probes, fitted, most: shapes; even: probes that count as one; otherWeight: what the rest counts.
// Defined in front: AHEAD and FOUR, values that a lane loads at a time of points and of keys; SHARES, lanes that share
// a point.

struct Parameters {
  heads: u32,
  keys: u32,
  probes: u32,
  fitted: u32,
  most: u32,
  even: u32,
  otherWeight: f32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> probabilities: array<f32>; // (heads, probes, keys) f32
@group(0) @binding(2) var<storage, read> labels: array<u32>; // (heads, keys) u32
@group(0) @binding(3) var<storage, read> logSumExp: array<f32>; // (heads, probes) f32
@group(0) @binding(4) var<storage, read> logits: array<f32>; // (heads, probes, most) f32: without the masses.
// (heads, fitted, most) f32: exponentials of the points relative to the largest of each, times what the probe counts.
@group(0) @binding(5) var<storage, read_write> weights: array<f32>;
// (2, heads, keys) f32: masses that the probes see in the keys, and those fitted to them; (3, heads, most) f32: logarithms of the
// largest exponentials, sums of the weights, and sums of weight · exponential.
@group(0) @binding(6) var<storage, read_write> fit: array<f32>;

// What lanes that share a point have found.
var<workgroup> ofShares: array<vec2f, 64>;

fn countOf(probe: u32) -> f32 {
  return select(parameters.otherWeight, 1.0, probe < parameters.even);
}

// What the probes give to each key. An invocation takes one key, so that neighbours read neighbouring probabilities.
@compute @workgroup_size(64)
fn seenMasses(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let head = at / parameters.keys;
  if (head >= parameters.heads) {
    return;
  }
  let column = head * parameters.probes * parameters.keys + at % parameters.keys;
  var mass = LEAST_MASS;
  for (var first = 0u; first < parameters.fitted; first += FOUR) {
    var ahead: array<f32, FOUR>;
    for (var step = 0u; step < FOUR; step++) {
      ahead[step] = probabilities[column + min(first + step, parameters.fitted - 1u) * parameters.keys];
    }
    for (var step = 0u; step < FOUR; step++) {
      mass = fma(select(0.0, countOf(first + step), first + step < parameters.fitted), ahead[step], mass);
    }
  }
  fit[at] = mass;
}

// A point whose probes SHARES lanes share; those beyond the clusters of a head have logits and weights without meaning.
@compute @workgroup_size(64)
fn weigh(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let across = 64u / SHARES;
  let place = (workgroup.x + workgroup.y * workgroups.x) * across + local % across;
  let share = local / across;
  let most = parameters.most;
  let points = parameters.heads * most;
  // Lanes past the end take part in the barriers.
  let at = min(place, points - 1u);
  let head = at / most;
  let row = head * parameters.probes;
  let point = at % most;
  let firstWeight = head * parameters.fitted * most + point;
  var largest = EMPTY;
  for (var first = share; first < parameters.fitted; first += AHEAD * SHARES) {
    var ratios: array<f32, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      let i = row + min(first + step * SHARES, parameters.fitted - 1u);
      ratios[step] = logits[i * most + point] - logSumExp[i];
    }
    for (var step = 0u; step < AHEAD; step++) {
      largest = max(largest, ratios[step]);
    }
  }
  if (SHARES > 1u) {
    ofShares[local].x = largest;
    workgroupBarrier();
    for (var other = 0u; other < SHARES; other++) {
      largest = max(largest, ofShares[other * across + local % across].x);
    }
    workgroupBarrier();
  }
  var sums = vec2f(0.0);
  for (var first = share; first < parameters.fitted; first += AHEAD * SHARES) {
    var ratios: array<f32, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      let i = row + min(first + step * SHARES, parameters.fitted - 1u);
      ratios[step] = logits[i * most + point] - logSumExp[i];
    }
    for (var step = 0u; step < AHEAD; step++) {
      let i = first + step * SHARES;
      let power = exponential(max(ratios[step] - largest, -87.0));
      if (place < points && i < parameters.fitted) {
        let weight = countOf(i) * power;
        weights[firstWeight + i * most] = weight;
        sums += vec2f(weight, weight * power);
      }
    }
  }
  if (SHARES > 1u) {
    ofShares[local] = sums;
    workgroupBarrier();
    sums = vec2f(0.0);
    for (var other = 0u; other < SHARES; other++) {
      sums += ofShares[other * across + local % across];
    }
  }
  if (place < points && share == 0u) {
    let moments = 2u * parameters.heads * parameters.keys + at;
    fit[moments] = largest;
    fit[moments + points] = sums.x;
    fit[moments + 2u * points] = sums.y;
  }
}

// The masses with which the points come closest to the keys. One key per invocation.
@compute @workgroup_size(64)
fn fittedMasses(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let head = at / parameters.keys;
  if (head >= parameters.heads) {
    return;
  }
  let most = parameters.most;
  let point = labels[at];
  let column = head * parameters.probes * parameters.keys + at % parameters.keys;
  let firstWeight = head * parameters.fitted * most + point;
  var mass = 0.0;
  for (var first = 0u; first < parameters.fitted; first += FOUR) {
    var own: array<f32, FOUR>;
    var ahead: array<f32, FOUR>;
    for (var step = 0u; step < FOUR; step++) {
      let i = min(first + step, parameters.fitted - 1u);
      own[step] = weights[firstWeight + i * most];
      ahead[step] = probabilities[column + i * parameters.keys];
    }
    for (var step = 0u; step < FOUR; step++) {
      mass = fma(select(0.0, own[step], first + step < parameters.fitted), ahead[step], mass);
    }
  }
  let rows = parameters.heads * parameters.keys;
  fit[rows + at] = mass / fit[2u * rows + (2u * parameters.heads + head) * most + point];
}
