// Value and mass of the point that stands for all keys of a head: see `Backend.fitCentre`. One workgroup a head.
// parameters.heads, probes, scale: as there; columns, valueColumns: vec4s of a query and of an output; unit: a power of two
// near the largest value. Defined in front: AHEAD, values that a lane loads at a time.

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
    for (var next = 0u; next < probes; next += AHEAD) {
      var ahead: array<vec4f, AHEAD>;
      for (var step = 0u; step < AHEAD; step++) {
        ahead[step] = exact[first + min(next + step, probes - 1u) * columns + c] - mean[head * columns + c];
      }
      for (var step = 0u; step < AHEAD; step++) {
        sum += select(0.0, 1.0, AHEAD == 1u || next + step < probes) * ahead[step];
      }
    }
    value[head * columns + c] = sum;
  }
  storageBarrier();
  for (var i = local; i < probes; i += LANES) {
    var cross = vec4f(0.0);
    var square = vec4f(0.0);
    for (var next = 0u; next < columns; next += AHEAD) {
      var stray: array<vec4f, AHEAD>;
      var whole: array<vec4f, AHEAD>;
      for (var step = 0u; step < AHEAD; step++) {
        let c = min(next + step, columns - 1u);
        stray[step] = exact[first + i * columns + c] - mean[head * columns + c];
        whole[step] = value[head * columns + c];
      }
      for (var step = 0u; step < AHEAD; step++) {
        let counted = select(0.0, 1.0, AHEAD == 1u || next + step < columns);
        let others = counted * ((whole[step] - stray[step]) / parameters.unit);
        cross = fma(stray[step] / parameters.unit, others, cross);
        square = fma(others, others, square);
      }
    }
    var logit = 0.0;
    for (var next = 0u; next < parameters.columns; next += AHEAD) {
      var own: array<vec4f, AHEAD>;
      var point: array<vec4f, AHEAD>;
      for (var step = 0u; step < AHEAD; step++) {
        let c = min(next + step, parameters.columns - 1u);
        own[step] = query[(head * probes + i) * parameters.columns + c];
        point[step] = pointKey[head * parameters.columns + c];
      }
      for (var step = 0u; step < AHEAD; step++) {
        logit += select(0.0, dot(own[step], point[step]), AHEAD == 1u || next + step < parameters.columns);
      }
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
    for (var next = 0u; next < probes; next += AHEAD) {
      var ahead: array<vec4f, AHEAD>;
      for (var step = 0u; step < AHEAD; step++) {
        ahead[step] = parts[head * probes + min(next + step, probes - 1u)];
      }
      for (var step = 0u; step < AHEAD; step++) {
        all += select(0.0, 1.0, AHEAD == 1u || next + step < probes) * ahead[step];
      }
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
