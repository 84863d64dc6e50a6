// Offset and factor of the linear function of each head, and what it leaves of the exact outputs: see `Backend.fitSlope`. One
// workgroup a head.
// parameters.heads, probes, fitted, even, otherWeight: as there; valueColumns: vec4s of an output; slopes: vec4s of a head's slope; unit:
// a power of two near the largest value; approximateHead, approximateProbe: vec4s from the approximate outputs of one head, and of
// one probe, to those of the next. Defined in front: AHEAD, values that a lane loads at a time.

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

const ONE_BITS = 0x3f800000u;

// Bits of the least factor: those of floats that are not negative are in the order of their values.
var<workgroup> factorBits: atomic<u32>;

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
    for (var next = 0u; next < parameters.fitted; next += AHEAD) {
      var ahead: array<vec4f, AHEAD>;
      for (var step = 0u; step < AHEAD; step++) {
        ahead[step] = linear[first + min(next + step, parameters.fitted - 1u) * columns + c];
      }
      for (var step = 0u; step < AHEAD; step++) {
        let weight = select(0.0, weightOf(next + step), AHEAD == 1u || next + step < parameters.fitted);
        mean = fma(vec4f(weight), ahead[step], mean);
      }
    }
    offset[head * columns + c] = mean / total;
  }
  storageBarrier();
  for (var i = local; i < parameters.fitted; i += LANES) {
    var cross = vec4f(0.0);
    var square = vec4f(0.0);
    for (var next = 0u; next < columns; next += AHEAD) {
      var own: array<vec4f, AHEAD>;
      var centre: array<vec4f, AHEAD>;
      var whole: array<vec4f, AHEAD>;
      var near: array<vec4f, AHEAD>;
      for (var step = 0u; step < AHEAD; step++) {
        let c = min(next + step, columns - 1u);
        let place = first + i * columns + c;
        own[step] = linear[place];
        centre[step] = offset[head * columns + c];
        whole[step] = exact[place];
        near[step] = approximate[head * parameters.approximateHead + i * parameters.approximateProbe + c];
      }
      for (var step = 0u; step < AHEAD; step++) {
        let counted = select(0.0, 1.0, AHEAD == 1u || next + step < columns);
        let x = counted * ((own[step] - centre[step]) / parameters.unit);
        cross = fma(x, (whole[step] - near[step]) / parameters.unit, cross);
        square = fma(x, x, square);
      }
    }
    parts[head * parameters.fitted + i] = weightOf(i) *
      vec2f((cross.x + cross.y) + (cross.z + cross.w), (square.x + square.y) + (square.z + square.w));
  }
  storageBarrier();
  if (local == 0u) {
    atomicStore(&factorBits, ONE_BITS);
  }
  workgroupBarrier();
  var all = vec2f(0.0);
  for (var next = 0u; next < parameters.fitted; next += AHEAD) {
    var ahead: array<vec2f, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      ahead[step] = parts[head * parameters.fitted + min(next + step, parameters.fitted - 1u)];
    }
    for (var step = 0u; step < AHEAD; step++) {
      all += select(0.0, 1.0, AHEAD == 1u || next + step < parameters.fitted) * ahead[step];
    }
  }
  for (var i = local; i < parameters.fitted; i += LANES) {
    let others = all - parts[head * parameters.fitted + i];
    let least = select(0.0, max(0.0, others.x / others.y), others.y > 0.0);
    // Without a sign, or a negative 0 would have the largest bits of all.
    atomicMin(&factorBits, bitcast<u32>(least) & 0x7fffffffu);
  }
  workgroupBarrier();
  let factor = bitcast<f32>(atomicLoad(&factorBits));
  let end = parameters.probes * columns;
  for (var next = local; next < end; next += AHEAD * LANES) {
    var own: array<vec4f, AHEAD>;
    var centre: array<vec4f, AHEAD>;
    var whole: array<vec4f, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      let at = min(next + step * LANES, end - 1u);
      own[step] = linear[first + at];
      centre[step] = offset[head * columns + at % columns];
      whole[step] = exact[first + at];
    }
    for (var step = 0u; step < AHEAD; step++) {
      if (AHEAD == 1u || next + step * LANES < end) {
        output[first + next + step * LANES] = whole[step] - factor * (own[step] - centre[step]);
      }
    }
  }
  for (var next = local; next < parameters.slopes; next += AHEAD * LANES) {
    var ahead: array<vec4f, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      ahead[step] = slope[head * parameters.slopes + min(next + step * LANES, parameters.slopes - 1u)];
    }
    for (var step = 0u; step < AHEAD; step++) {
      if (AHEAD == 1u || next + step * LANES < parameters.slopes) {
        slope[head * parameters.slopes + next + step * LANES] = factor * ahead[step];
      }
    }
  }
  storageBarrier();
  for (var c = local; c < columns; c += LANES) {
    offset[head * columns + c] *= -factor;
  }
}
