// Where the point lies that stands for all keys of a head: see `Backend.fitCentre`. One workgroup a head.
// parameters.heads, keys, probes: as there; columns: vec4s of a key; taken: sampled keys of a head; every: their stride.

struct Parameters {
  heads: u32,
  keys: u32,
  probes: u32,
  columns: u32,
  taken: u32,
  every: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> key: array<vec4f>; // (heads, keys, 4 columns) f32
@group(0) @binding(2) var<storage, read> probabilities: array<f32>; // (heads, probes, keys) f32
@group(0) @binding(3) var<storage, read_write> masses: array<f32>; // (heads, taken) f32
@group(0) @binding(4) var<storage, read_write> pointKey: array<vec4f>; // (heads, 4 columns) f32

override LANES: u32;

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
  for (var i = local; i < parameters.taken; i += LANES) {
    var mass = LEAST_MASS;
    var place = head * parameters.probes * parameters.keys + i * parameters.every;
    for (var probe = 0u; probe < parameters.probes; probe++) {
      mass += probabilities[place];
      place += parameters.keys;
    }
    masses[head * parameters.taken + i] = mass;
  }
  storageBarrier();
  for (var c = local; c < parameters.columns; c += LANES) {
    var total = 0.0;
    var sum = vec4f(0.0);
    for (var i = 0u; i < parameters.taken; i++) {
      let mass = masses[head * parameters.taken + i];
      total += mass;
      sum = fma(vec4f(mass), key[(head * parameters.keys + i * parameters.every) * parameters.columns + c], sum);
    }
    pointKey[head * parameters.columns + c] = sum / total;
  }
}
