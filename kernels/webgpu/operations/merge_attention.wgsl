// Merges two partial results over disjoint keys. Put behind elementary.wgsl.
// Defined in front: Element, f32 or vec4f; LANES, lanes that share a row; ROWS, rows of a workgroup; STEPS, elements of
// a row that one lane takes.
// parameters.heads, queries: shapes; width: elements of an output row.

struct Parameters {
  heads: u32,
  queries: u32,
  width: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> firstOutput: array<Element>; // (heads, queries, width) f32
@group(0) @binding(2) var<storage, read> firstSum: array<f32>; // (heads, queries) f32
@group(0) @binding(3) var<storage, read> secondOutput: array<Element>; // (heads, queries, width) f32
@group(0) @binding(4) var<storage, read> secondSum: array<f32>; // (heads, queries) f32
@group(0) @binding(5) var<storage, read_write> output: array<Element>; // (heads, queries, width) f32
@group(0) @binding(6) var<storage, read_write> logSumExp: array<f32>; // (heads, queries) f32

@compute @workgroup_size(LANES, ROWS)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let row = (workgroup.x + workgroup.y * workgroups.x) * ROWS + local.y;
  if (row >= parameters.heads * parameters.queries) {
    return;
  }
  let sums = vec2f(firstSum[row], secondSum[row]);
  let largest = max(sums.x, sums.y);
  let present = sums > vec2f(MASKED);
  // Below exp(-87) a share is lost against the other one, and EMPTY minus a large sum could overflow.
  let shares = select(
    vec2f(0.0),
    vec2f(exponential(max(sums.x - largest, -87.0)), exponential(max(sums.y - largest, -87.0))),
    present,
  );
  let total = shares.x + shares.y;
  let weights = select(vec2f(0.0), shares / total, present);

  if (local.x == 0u) {
    logSumExp[row] = select(EMPTY, largest + logarithm(total), largest > MASKED);
  }
  for (var step = 0u; step < STEPS; step++) {
    let column = step * LANES + local.x;
    if (column < parameters.width) {
      let at = row * parameters.width + column;
      output[at] = weights.x * firstOutput[at] + weights.y * secondOutput[at];
    }
  }
}
