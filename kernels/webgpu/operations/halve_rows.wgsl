// Rows as half floats, filled up with zeros to whole fours. Packed into words, since that takes no feature of the device.
// parameters.fours: fours of the result in all; width: of a row; columns: fours of a row; unit: factor on every value, a power of two.

struct Parameters {
  fours: u32,
  width: u32,
  columns: u32,
  unit: f32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> rows: array<f32>; // (count, width) f32
@group(0) @binding(2) var<storage, read_write> halves: array<vec2u>; // (count, 4 columns) f16

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  if (at >= parameters.fours) {
    return;
  }
  let start = at / parameters.columns * parameters.width;
  let places = vec4u(at % parameters.columns * 4u) + vec4u(0u, 1u, 2u, 3u);
  let sources = vec4u(start) + min(places, vec4u(parameters.width - 1u));
  let four = vec4f(rows[sources.x], rows[sources.y], rows[sources.z], rows[sources.w]);
  let scaled = select(vec4f(0.0), parameters.unit * four, places < vec4u(parameters.width));
  halves[at] = vec2u(pack2x16float(scaled.xy), pack2x16float(scaled.zw));
}
