// Where the point lies that stands for all keys of a head: see `Backend.fitCentre`. One workgroup a head.
// parameters.heads, keys, probes: as there; columns: vec4s of a key; taken: sampled keys of a head; every: keys of which one is
// taken. Behind member_of_part.wgsl.
// Defined in front: AHEAD, values that a lane loads at a time.

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
@group(0) @binding(5) var<storage, read_write> sampled: array<u32>; // (heads, taken) u32: a division for each once, not for each column

override LANES: u32;

var<workgroup> partial: array<vec4f, LANES>;
var<workgroup> partialMasses: array<f32, LANES>;

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
    let own = memberOfPart(i, parameters.every, parameters.keys);
    let place = head * parameters.probes * parameters.keys + own;
    sampled[head * parameters.taken + i] = own;
    for (var probe = 0u; probe < parameters.probes; probe += AHEAD) {
      var ahead: array<f32, AHEAD>;
      for (var step = 0u; step < AHEAD; step++) {
        ahead[step] = probabilities[place + min(probe + step, parameters.probes - 1u) * parameters.keys];
      }
      for (var step = 0u; step < AHEAD; step++) {
        mass += select(0.0, ahead[step], AHEAD == 1u || probe + step < parameters.probes);
      }
    }
    masses[head * parameters.taken + i] = mass;
  }
  storageBarrier();
  let columns = parameters.columns;
  // Lanes that do not share a column take every so many-th key.
  let wide = min(columns, LANES);
  let parts = LANES / wide;
  let part = local / wide;
  for (var firstColumn = 0u; firstColumn < columns; firstColumn += wide) {
    let column = firstColumn + local % wide;
    let c = min(column, columns - 1u);
    var total = 0.0;
    var sum = vec4f(0.0);
    for (var next = part; next < select(0u, parameters.taken, part < parts); next += AHEAD * parts) {
      var mass: array<f32, AHEAD>;
      var ahead: array<vec4f, AHEAD>;
      for (var step = 0u; step < AHEAD; step++) {
        let i = min(next + step * parts, parameters.taken - 1u);
        mass[step] = masses[head * parameters.taken + i];
        ahead[step] = key[(head * parameters.keys + sampled[head * parameters.taken + i]) * columns + c];
      }
      for (var step = 0u; step < AHEAD; step++) {
        let own = select(0.0, mass[step], AHEAD == 1u || next + step * parts < parameters.taken);
        total += own;
        sum = fma(vec4f(own), ahead[step], sum);
      }
    }
    partial[local] = sum;
    partialMasses[local] = total;
    workgroupBarrier();
    if (part == 0u && column < columns) {
      for (var other = 1u; other < parts; other++) {
        sum += partial[other * wide + local];
        total += partialMasses[other * wide + local];
      }
      pointKey[head * columns + column] = sum / total;
    }
    workgroupBarrier();
  }
}
