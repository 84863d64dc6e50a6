// Offset and factor of the linear function of each head, and what it leaves of the exact outputs: see `Backend.fitSlope`. One
// workgroup a head.
// parameters.heads, probes, fitted, even, otherWeight: as there; valueColumns: vec4s of an output; slopes: vec4s of a head's slope; unit:
// a power of two near the largest value; approximateHead, approximateProbe: vec4s from the approximate outputs of one head, and of
// one probe, to those of the next.

struct Parameters {
  heads: u32,
  probes: u32,
  fitted: u32,
  even: u32,
  otherWeight: f32,
  valueColumns: u32,
  slopes: u32,
  unit: f32,
  approximateHead: u32,
  approximateProbe: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> linear: array<vec4f>; // (heads, probes, 4 valueColumns) f32
@group(0) @binding(2) var<storage, read> exact: array<vec4f>; // (heads, probes, 4 valueColumns) f32
@group(0) @binding(3) var<storage, read> approximate: array<vec4f>; // (heads, probes or points, 4 valueColumns) f32
@group(0) @binding(4) var<storage, read_write> slope: array<vec4f>; // (heads, slopes) vec4f
@group(0) @binding(5) var<storage, read_write> offset: array<vec4f>; // (heads, 4 valueColumns) f32
@group(0) @binding(6) var<storage, read_write> output: array<vec4f>; // (heads, probes, 4 valueColumns) f32
@group(0) @binding(7) var<storage, read_write> parts: array<vec2f>; // (heads, fitted): cross products and squares

override LANES: u32;

var<workgroup> agreed: f32;

fn weightOf(probe: u32) -> f32 {
  return select(parameters.otherWeight, 1.0, probe < parameters.even);
}

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
  let first = head * parameters.probes * columns;
  let evenWeight = f32(min(parameters.even, parameters.fitted));
  let total = fma(parameters.otherWeight, f32(parameters.fitted) - evenWeight, evenWeight);
  for (var c = local; c < columns; c += LANES) {
    var mean = vec4f(0.0);
    for (var i = 0u; i < parameters.fitted; i++) {
      mean = fma(vec4f(weightOf(i)), linear[first + i * columns + c], mean);
    }
    offset[head * columns + c] = mean / total;
  }
  storageBarrier();
  for (var i = local; i < parameters.fitted; i += LANES) {
    var cross = vec4f(0.0);
    var square = vec4f(0.0);
    for (var c = 0u; c < columns; c++) {
      let place = first + i * columns + c;
      let x = (linear[place] - offset[head * columns + c]) / parameters.unit;
      let near = approximate[head * parameters.approximateHead + i * parameters.approximateProbe + c];
      cross = fma(x, (exact[place] - near) / parameters.unit, cross);
      square = fma(x, x, square);
    }
    parts[head * parameters.fitted + i] = weightOf(i) *
      vec2f((cross.x + cross.y) + (cross.z + cross.w), (square.x + square.y) + (square.z + square.w));
  }
  storageBarrier();
  if (local == 0u) {
    var all = vec2f(0.0);
    for (var i = 0u; i < parameters.fitted; i++) {
      all += parts[head * parameters.fitted + i];
    }
    var factor = 1.0;
    for (var i = 0u; i < parameters.fitted; i++) {
      let others = all - parts[head * parameters.fitted + i];
      factor = min(factor, select(0.0, max(0.0, others.x / others.y), others.y > 0.0));
    }
    agreed = factor;
  }
  let factor = workgroupUniformLoad(&agreed);
  for (var at = local; at < parameters.probes * columns; at += LANES) {
    let x = linear[first + at] - offset[head * columns + at % columns];
    output[first + at] = exact[first + at] - factor * x;
  }
  for (var at = local; at < parameters.slopes; at += LANES) {
    slope[head * parameters.slopes + at] *= factor;
  }
  storageBarrier();
  for (var c = local; c < columns; c += LANES) {
    offset[head * columns + c] *= -factor;
  }
}
