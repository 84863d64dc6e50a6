// Joins what workgroups of attention leave that took other keys each for the same rows. Put behind elementary.wgsl.
// parameters.rows, splits: shapes; valueColumns: vec4s of a value row; chunks: chunks of `columns` of these; stride: vec4s
// that each leaves in `paused`; unit: factor on the values.
// Defined in front: AHEAD, splits that are loaded at a time, a divisor of CHAIN.

struct Parameters {
  rows: u32,
  splits: u32,
  valueColumns: u32,
  chunks: u32,
  columns: u32,
  stride: u32,
  unit: f32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> sums: array<vec4f>; // (splits, rows, 4 valueColumns) f32
// The largest logit and the total of weights.
@group(0) @binding(2) var<storage, read> paused: array<vec4f>; // (splits, rows, chunks, stride, 4) f32
@group(0) @binding(3) var<storage, read_write> output: array<vec4f>; // (rows, 4 valueColumns) f32
@group(0) @binding(4) var<storage, read_write> logSumExp: array<f32>; // (rows) f32

// Splits whose sums are added in one chain; chains are added in turn.
const CHAIN = 8u;

fn left(row: u32, column: u32, split: u32) -> vec2f {
  let place = (split * parameters.rows + row) * parameters.chunks + column / parameters.columns;
  return paused[place * parameters.stride].xy;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  if (at >= parameters.rows * parameters.valueColumns) {
    return;
  }
  let row = at / parameters.valueColumns;
  let column = at % parameters.valueColumns;
  let last = parameters.splits - 1u;
  var largest = EMPTY;
  for (var first = 0u; first < parameters.splits; first += AHEAD) {
    var found: array<f32, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      found[step] = left(row, column, min(first + step, last)).x;
    }
    for (var step = 0u; step < AHEAD; step++) {
      largest = max(largest, found[step]);
    }
  }
  var sum = vec4f(0.0);
  var total = 0.0;
  for (var first = 0u; first < parameters.splits; first += CHAIN) {
    var chainSum = vec4f(0.0);
    var chainTotal = 0.0;
    for (var next = first; next < min(first + CHAIN, parameters.splits); next += AHEAD) {
      var found: array<vec2f, AHEAD>;
      var ahead: array<vec4f, AHEAD>;
      for (var step = 0u; step < AHEAD; step++) {
        let s = min(next + step, last);
        found[step] = left(row, column, s);
        ahead[step] = sums[s * parameters.rows * parameters.valueColumns + at];
      }
      for (var step = 0u; step < AHEAD; step++) {
        let difference = found[step].x - largest;
        // Below exp(-87) a share is lost against the largest one, and EMPTY minus a large logit could overflow. Past the end
        // the last split is repeated, and counts 0.
        let isLost = (found[step].x <= MASKED) | (difference < -87.0) | (AHEAD > 1u && next + step > last);
        let share = select(exponential(max(difference, -87.0)), 0.0, isLost);
        chainSum = fma(vec4f(share), ahead[step], chainSum);
        chainTotal = fma(share, found[step].y, chainTotal);
      }
    }
    sum += chainSum;
    total += chainTotal;
  }
  output[at] = sum * select(0.0, parameters.unit / total, total > 0.0);
  if (column == 0u) {
    logSumExp[row] = select(EMPTY, largest + logarithm(total), total > 0.0);
  }
}
