// Value and mass of the point that stands for all keys of a head: see `Backend.fitCentre`. One workgroup a head.
// parameters.heads, probes, scale: as there; columns, valueColumns: vec4s of a query and of an output; unit: a power of two
// near the largest value.

struct Parameters {
  heads: u32,
  probes: u32,
  columns: u32,
  valueColumns: u32,
  scale: f32,
  unit: f32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> query: array<vec4f>; // (heads, probes, 4 columns) f32
@group(0) @binding(2) var<storage, read> logSumExp: array<f32>; // (heads, probes) f32
@group(0) @binding(3) var<storage, read> exact: array<vec4f>; // (heads, probes, 4 valueColumns) f32
@group(0) @binding(4) var<storage, read> mean: array<vec4f>; // (heads, 4 valueColumns) f32
@group(0) @binding(5) var<storage, read> pointKey: array<vec4f>; // (heads, 4 columns) f32
@group(0) @binding(6) var<storage, read_write> value: array<vec4f>; // (heads, 4 valueColumns) f32
@group(0) @binding(7) var<storage, read_write> logMass: array<f32>; // (heads) f32
@group(0) @binding(8) var<storage, read_write> parts: array<vec4f>; // (heads, probes): cross product, square, log-mass

override LANES: u32;

var<workgroup> agreed: f32;

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
  let columns = parameters.valueColumns;
  let probes = parameters.probes;
  let first = head * probes * columns;
  // The value holds the sum of what the outputs stray from the mean value until that is weighed.
  for (var c = local; c < columns; c += LANES) {
    var sum = vec4f(0.0);
    for (var i = 0u; i < probes; i++) {
      sum += exact[first + i * columns + c] - mean[head * columns + c];
    }
    value[head * columns + c] = sum;
  }
  storageBarrier();
  for (var i = local; i < probes; i += LANES) {
    var cross = vec4f(0.0);
    var square = vec4f(0.0);
    for (var c = 0u; c < columns; c++) {
      let stray = exact[first + i * columns + c] - mean[head * columns + c];
      let others = (value[head * columns + c] - stray) / parameters.unit;
      cross = fma(stray / parameters.unit, others, cross);
      square = fma(others, others, square);
    }
    var logit = 0.0;
    for (var c = 0u; c < parameters.columns; c++) {
      logit += dot(query[(head * probes + i) * parameters.columns + c], pointKey[head * parameters.columns + c]);
    }
    parts[head * probes + i] = vec4f(
      (cross.x + cross.y) + (cross.z + cross.w),
      (square.x + square.y) + (square.z + square.w),
      fma(-parameters.scale, logit, logSumExp[head * probes + i]),
      0.0,
    );
  }
  storageBarrier();
  if (local == 0u) {
    var all = vec4f(0.0);
    for (var i = 0u; i < probes; i++) {
      all += parts[head * probes + i];
    }
    agreed = select(0.0, clamp(f32(probes - 1u) * (all.x / all.y), 0.0, 1.0), all.y > 0.0);
    logMass[head] = all.z / f32(probes);
  }
  let share = workgroupUniformLoad(&agreed) / f32(probes);
  for (var c = local; c < columns; c += LANES) {
    let at = head * columns + c;
    value[at] = fma(vec4f(share), value[at], mean[at]);
  }
}
