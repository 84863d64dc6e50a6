// Stratified sampling of keys in integer arithmetic. Put behind elementary.wgsl, random.wgsl and
// reductions.wgsl.
// parameters.heads, keys, samples: shapes; purpose, seedLow, seedHigh, firstStream: the random stream of
// the first head. Defined in front: BITS = 31.

struct Parameters {
  heads: u32,
  keys: u32,
  samples: u32,
  purpose: u32,
  seedLow: u32,
  seedHigh: u32,
  firstStream: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> importance: array<f32>; // (heads, keys) f32
@group(0) @binding(2) var<storage, read_write> cumulative: array<u32>; // (heads, keys) u32, sums of the weights
@group(0) @binding(3) var<storage, read_write> index: array<u32>; // (heads, samples) u32
@group(0) @binding(4) var<storage, read_write> logWeight: array<f32>; // (heads, samples) f32

var<workgroup> parts: array<vec2u, LANES>;

// 64-bit sum; x is the low word.
fn add(a: vec2u, b: vec2u) -> vec2u {
  let low = a.x + b.x;
  return vec2u(low, a.y + b.y + select(0u, 1u, low < a.x));
}

// floor(part * 2^30 / total) by long division, for part <= total < 2^62. Written out (BITS = 31): Mesa's CPU driver ends
// the loops of an invocation after 65,535 turns in all.
fn shareOf(part: u32, total: vec2u) -> u32 {
  var remainder = vec2u(part, 0u);
  var quotient = 0u;
  for (var bit = 0u; bit < BITS; bit++) {
    quotient <<= 1u;
    if (remainder.y > total.y || (remainder.y == total.y && remainder.x >= total.x)) {
      remainder = vec2u(remainder.x - total.x, remainder.y - total.y - select(0u, 1u, remainder.x < total.x));
      quotient |= 1u;
    }
    remainder = vec2u(remainder.x << 1u, (remainder.y << 1u) | (remainder.x >> 31u));
  }
  return quotient;
}

// One workgroup per head; each lane owns a run of consecutive keys. Floats serve only to find the largest importance:
// sums and quotients are integers, in units of 2^-31 of the power of two above it, so that every device draws alike.
@compute @workgroup_size(LANES)
fn accumulate(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let head = workgroup.x + workgroup.y * workgroups.x;
  if (head >= parameters.heads) {
    return;
  }
  let run = (parameters.keys + LANES - 1u) / LANES;
  let start = head * parameters.keys + min(local * run, parameters.keys);
  let end = head * parameters.keys + min((local + 1u) * run, parameters.keys);
  var ownLargest = 0.0;
  for (var j = start; j < end; j++) {
    ownLargest = max(ownLargest, importance[j]);
  }
  let largest = largestOfLanes(ownLargest, 0u, local).x;
  // The biased exponent of the largest importance is 126 more than that of the power of two above it.
  let exponent = 31 + 126 - i32(bitcast<u32>(largest) >> 23u);
  var ownTotal = vec2u(0u);
  for (var j = start; j < end; j++) {
    let part = u32(ldexp(importance[j], exponent));
    cumulative[j] = part;
    ownTotal = add(ownTotal, vec2u(part, 0u));
  }
  parts[local] = ownTotal;
  workgroupBarrier();
  for (var distance = LANES / 2u; distance > 0u; distance /= 2u) {
    if (local < distance) {
      parts[local] = add(parts[local], parts[local + distance]);
    }
    workgroupBarrier();
  }
  let total = parts[0];
  var weight = 0u;
  for (var j = start; j < end; j++) {
    // Without any importance every key weighs 1.
    weight += 1u + select(0u, shareOf(cumulative[j], total), any(total > vec2u(0u)));
    cumulative[j] = weight;
  }
  let below = sumBelow(weight, local);
  for (var j = start; j < end; j++) {
    cumulative[j] += below;
  }
}

@compute @workgroup_size(64)
fn pick(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let head = at / parameters.samples;
  let stratum = at % parameters.samples;
  if (head >= parameters.heads) {
    return;
  }
  let headStart = head * parameters.keys;
  let total = cumulative[headStart + parameters.keys - 1u];
  let base = total / parameters.samples;
  let longer = total % parameters.samples;
  let size = base + select(0u, 1u, stratum < longer);
  let stream = parameters.firstStream + head;
  let word = randomWord(vec2u(parameters.seedLow, parameters.seedHigh), parameters.purpose, stream, stratum);
  let place = stratum * base + min(stratum, longer) + multiplyHigh(word, size);
  var low = 0u;
  var high = parameters.keys - 1u;
  while (low < high) {
    let middle = (low + high) / 2u;
    if (cumulative[headStart + middle] > place) {
      high = middle;
    } else {
      low = middle + 1u;
    }
  }
  var weight = cumulative[headStart + low];
  if (low > 0u) {
    weight -= cumulative[headStart + low - 1u];
  }
  index[at] = low;
  logWeight[at] = logarithm(f32(total) / f32(parameters.samples) / f32(weight));
}
