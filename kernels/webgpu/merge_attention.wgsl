// Merges two partial results over disjoint keys and puts the rows where `order` says. Put behind elementary.wgsl.
// parameters.heads, queries, valueFeatures: shapes; merging, ordered, shifted: 1 if there is a second part, an
// order, a shift.

struct Parameters {
  heads: u32,
  queries: u32,
  valueFeatures: u32,
  merging: u32,
  ordered: u32,
  shifted: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> firstOutput: array<f32>; // (heads, queries, valueFeatures) f32
@group(0) @binding(2) var<storage, read> firstSum: array<f32>; // (heads, queries) f32
@group(0) @binding(3) var<storage, read> secondOutput: array<f32>; // (heads, queries, valueFeatures) f32
@group(0) @binding(4) var<storage, read> secondSum: array<f32>; // (heads, queries) f32
@group(0) @binding(5) var<storage, read> order: array<u32>; // (heads, queries) u32
@group(0) @binding(6) var<storage, read> shift: array<f32>; // (heads, valueFeatures) f32
@group(0) @binding(7) var<storage, read_write> output: array<f32>; // (heads, queries, valueFeatures) f32
@group(0) @binding(8) var<storage, read_write> logSumExp: array<f32>; // (heads, queries) f32

const LANES = 4u;
const ROWS = 16u;
const MASKED = -1.0e38;
const EMPTY = -3.0e38;

@compute @workgroup_size(LANES, ROWS)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let row = (workgroup.x + workgroup.y * workgroups.x) * ROWS + local.y;
  let head = row / parameters.queries;
  if (head >= parameters.heads) {
    return;
  }
  var sums = vec2f(firstSum[row], EMPTY);
  if (parameters.merging == 1u) {
    sums.y = secondSum[row];
  }
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

  var place = row;
  if (parameters.ordered == 1u) {
    place = head * parameters.queries + order[row];
  }
  if (local.x == 0u) {
    logSumExp[place] = select(EMPTY, largest + logarithm(total), largest > MASKED);
  }
  for (var c = local.x; c < parameters.valueFeatures; c += LANES) {
    var merged = weights.x * firstOutput[row * parameters.valueFeatures + c];
    if (parameters.merging == 1u) {
      merged = fma(weights.y, secondOutput[row * parameters.valueFeatures + c], merged);
    }
    if (parameters.shifted == 1u) {
      merged += shift[head * parameters.valueFeatures + c];
    }
    output[place * parameters.valueFeatures + c] = merged;
  }
}
