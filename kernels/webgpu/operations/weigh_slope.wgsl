// Offset and factor of the linear function of each head, and what it leaves of the exact outputs: see `Backend.fitSlope`. One
// workgroup a head.
// parameters.heads, probes, fitted, even, otherWeight: as there; valueColumns: vec4s of an output; slopes: vec4s of a head's slope; unit:
// a power of two near the largest value; approximateHead, approximateProbe: vec4s from the approximate outputs of one head, and of
// one probe, to those of the next; run: vec4s of an output that a lane takes. Defined in front: AHEAD, values that a lane loads at a time.
// Behind reductions.wgsl.

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
  run: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> linear: array<vec4f>; // (heads, probes, 4 valueColumns) f32
@group(0) @binding(2) var<storage, read> exact: array<vec4f>; // (heads, probes, 4 valueColumns) f32
@group(0) @binding(3) var<storage, read> approximate: array<vec4f>; // (heads, probes or points, 4 valueColumns) f32
@group(0) @binding(4) var<storage, read_write> slope: array<vec4f>; // (heads, slopes) vec4f
@group(0) @binding(5) var<storage, read_write> offset: array<vec4f>; // (heads, 4 valueColumns) f32
@group(0) @binding(6) var<storage, read_write> output: array<vec4f>; // (heads, probes, 4 valueColumns) f32
@group(0) @binding(7) var<storage, read_write> parts: array<vec2f>; // (heads, fitted, runs): cross products and squares

const ONE_BITS = 0x3f800000u;

// Bits of the least factor: those of floats that are not negative are in the order of their values.
var<workgroup> factorBits: atomic<u32>;
var<workgroup> partial: array<vec4f, LANES>;

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
  // Lanes that do not share a column take every so many-th probe.
  let wide = min(columns, LANES);
  let sharing = LANES / wide;
  let part = local / wide;
  for (var firstColumn = 0u; firstColumn < columns; firstColumn += wide) {
    let column = firstColumn + local % wide;
    let c = min(column, columns - 1u);
    var mean = vec4f(0.0);
    for (var next = part; next < select(0u, parameters.fitted, part < sharing); next += AHEAD * sharing) {
      var ahead: array<vec4f, AHEAD>;
      for (var step = 0u; step < AHEAD; step++) {
        ahead[step] = linear[first + min(next + step * sharing, parameters.fitted - 1u) * columns + c];
      }
      for (var step = 0u; step < AHEAD; step++) {
        let i = next + step * sharing;
        let weight = select(0.0, weightOf(i), AHEAD == 1u || i < parameters.fitted);
        mean = fma(vec4f(weight), ahead[step], mean);
      }
    }
    partial[local] = mean;
    workgroupBarrier();
    if (part == 0u && column < columns) {
      for (var next = 1u; next < sharing; next += AHEAD) {
        var others: array<vec4f, AHEAD>;
        for (var step = 0u; step < AHEAD; step++) {
          others[step] = partial[min(next + step, sharing - 1u) * wide + local];
        }
        for (var step = 0u; step < AHEAD; step++) {
          mean += select(0.0, 1.0, AHEAD == 1u || next + step < sharing) * others[step];
        }
      }
      offset[head * columns + column] = mean / total;
    }
    workgroupBarrier();
  }
  storageBarrier();
  // A lane takes `run` columns of a probe, of which there are so many in a row.
  let runs = (columns + parameters.run - 1u) / parameters.run;
  var all = vec2f(0.0);
  for (var item = local; item < parameters.fitted * runs; item += LANES) {
    let i = item / runs;
    let firstColumn = item % runs * parameters.run;
    let end = min(firstColumn + parameters.run, columns);
    var cross = vec4f(0.0);
    var square = vec4f(0.0);
    for (var next = firstColumn; next < end; next += AHEAD) {
      var own: array<vec4f, AHEAD>;
      var centre: array<vec4f, AHEAD>;
      var whole: array<vec4f, AHEAD>;
      var near: array<vec4f, AHEAD>;
      for (var step = 0u; step < AHEAD; step++) {
        let c = min(next + step, end - 1u);
        let place = first + i * columns + c;
        own[step] = linear[place];
        centre[step] = offset[head * columns + c];
        whole[step] = exact[place];
        near[step] = approximate[head * parameters.approximateHead + i * parameters.approximateProbe + c];
      }
      for (var step = 0u; step < AHEAD; step++) {
        let counted = select(0.0, 1.0, AHEAD == 1u || next + step < end);
        let x = counted * ((own[step] - centre[step]) / parameters.unit);
        cross = fma(x, (whole[step] - near[step]) / parameters.unit, cross);
        square = fma(x, x, square);
      }
    }
    let found = weightOf(i) *
      vec2f((cross.x + cross.y) + (cross.z + cross.w), (square.x + square.y) + (square.z + square.w));
    parts[head * parameters.fitted * runs + item] = found;
    all += found;
  }
  storageBarrier();
  if (local == 0u) {
    atomicStore(&factorBits, ONE_BITS);
  }
  all = sumOfLanes(all, local);
  for (var i = local; i < parameters.fitted; i += LANES) {
    var others = all;
    for (var at = 0u; at < runs; at++) {
      others -= parts[(head * parameters.fitted + i) * runs + at];
    }
    let least = select(0.0, max(0.0, others.x / others.y), others.y > 0.0);
    // Without a sign, or a negative 0 would have the largest bits of all.
    atomicMin(&factorBits, bitcast<u32>(least) & 0x7fffffffu);
  }
  workgroupBarrier();
  let factor = bitcast<f32>(atomicLoad(&factorBits));
  for (var firstColumn = 0u; firstColumn < columns; firstColumn += wide) {
    let column = firstColumn + local % wide;
    let centre = offset[head * columns + min(column, columns - 1u)];
    let end = select(0u, parameters.probes, part < sharing && column < columns);
    for (var next = part; next < end; next += AHEAD * sharing) {
      // Compilers would bring loads behind a branch around the stores: past the end a lane stores its last row again.
      let last = next + (end - 1u - next) / sharing * sharing;
      var left: array<vec4f, AHEAD>;
      for (var step = 0u; step < AHEAD; step++) {
        let at = first + min(next + step * sharing, last) * columns + column;
        left[step] = exact[at] - factor * (linear[at] - centre);
      }
      for (var step = 0u; step < AHEAD; step++) {
        output[first + min(next + step * sharing, last) * columns + column] = left[step];
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
