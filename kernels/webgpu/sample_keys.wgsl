// Stratified sampling of keys in integer arithmetic. Put behind random.wgsl.
// parameters.heads, keys, samples: shapes; purpose, seedLow, seedHigh: the random stream.

struct Parameters {
  heads: u32,
  keys: u32,
  samples: u32,
  purpose: u32,
  seedLow: u32,
  seedHigh: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> importance: array<f32>; // (heads, keys) f32
@group(0) @binding(2) var<storage, read_write> cumulative: array<u32>; // (heads, keys) u32, sums of the weights
@group(0) @binding(3) var<storage, read_write> index: array<u32>; // (heads, samples) u32
@group(0) @binding(4) var<storage, read_write> logWeight: array<f32>; // (heads, samples) f32

const LANES = 256u;
const TOTAL_WEIGHT = 1073741824.0; // 2^30: with one more for each key the sum stays below 2^32

var<workgroup> sums: array<f32, LANES>;
var<workgroup> weights: array<u32, LANES>;

fn quantise(value: f32, total: f32) -> u32 {
  // Divided first: TOTAL_WEIGHT / total would overflow for a tiny total.
  return 1u + select(0u, u32(value / total * TOTAL_WEIGHT), total > 0.0);
}

// One workgroup per head; each lane owns a run of consecutive keys.
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
  var sum = 0.0;
  for (var j = start; j < end; j++) {
    sum += importance[j];
  }
  sums[local] = sum;
  workgroupBarrier();
  for (var distance = LANES / 2u; distance > 0u; distance /= 2u) {
    if (local < distance) {
      sums[local] += sums[local + distance];
    }
    workgroupBarrier();
  }
  let total = sums[0];
  var weight = 0u;
  for (var j = start; j < end; j++) {
    weight += quantise(importance[j], total);
  }
  weights[local] = weight;
  workgroupBarrier();
  for (var distance = 1u; distance < LANES; distance *= 2u) {
    var below = 0u;
    if (local >= distance) {
      below = weights[local - distance];
    }
    workgroupBarrier();
    weights[local] += below;
    workgroupBarrier();
  }
  var running = weights[local] - weight;
  for (var j = start; j < end; j++) {
    running += quantise(importance[j], total);
    cumulative[j] = running;
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
  let word = randomWord(vec2u(parameters.seedLow, parameters.seedHigh), parameters.purpose, head, stratum);
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
  logWeight[at] = log(f32(total) / f32(parameters.samples) / f32(weight));
}
