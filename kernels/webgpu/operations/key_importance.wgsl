// How much each key deserves to be sampled. Put behind reductions.wgsl.
// parameters.heads, keys, probes: shapes; columns: vec4s of a value row; tiles: groups of OWN keys per head; valueScale: factor on the values;
// columnShare, valueShare, uniformShare: weights of the three parts. Defined in front: OWN, keys of an
// invocation, at most four; AHEAD, values that a lane loads at a time.

struct Parameters {
  heads: u32,
  keys: u32,
  probes: u32,
  counted: u32,
  columns: u32,
  tiles: u32,
  valueScale: f32,
  columnShare: f32,
  valueShare: f32,
  uniformShare: f32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> probabilities: array<f32>; // (heads, probes, keys) f32
@group(0) @binding(2) var<storage, read> value: array<vec4f>; // (heads, keys, 4 columns) f32
@group(0) @binding(3) var<storage, read> centre: array<vec4f>; // (heads, 4 columns) f32
@group(0) @binding(4) var<storage, read_write> valueSquare: array<f32>; // (heads, keys) f32
@group(0) @binding(5) var<storage, read_write> columnNorm: array<f32>; // (heads, keys) f32
@group(0) @binding(6) var<storage, read_write> importance: array<f32>; // (heads, keys) f32

// The keys of an invocation share every value of the centre that it loads.
@compute @workgroup_size(64)
fn measure(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let tile = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let head = tile / parameters.tiles;
  if (head >= parameters.heads) {
    return;
  }
  let firstKey = (tile % parameters.tiles) * OWN;
  let lastKey = parameters.keys - 1u;
  // Keys past the end repeat the last one and are not stored.
  let four = min(vec4u(firstKey) + vec4u(0u, 1u, 2u, 3u), vec4u(lastKey));
  let starts = (vec4u(head * parameters.keys) + four) * parameters.columns;
  var squares: array<f32, OWN>;
  for (var k = 0u; k < OWN; k++) {
    squares[k] = 0.0;
  }
  for (var first = 0u; first < parameters.columns; first += AHEAD) {
    var mean: array<vec4f, AHEAD>;
    var values: array<array<vec4f, OWN>, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      let c = min(first + step, parameters.columns - 1u);
      mean[step] = centre[head * parameters.columns + c];
      for (var k = 0u; k < OWN; k++) {
        values[step][k] = value[starts[k] + c];
      }
    }
    for (var step = 0u; step < AHEAD; step++) {
      let scale = select(0.0, parameters.valueScale, AHEAD == 1u || first + step < parameters.columns);
      for (var k = 0u; k < OWN; k++) {
        let scaled = scale * (values[step][k] - mean[step]);
        squares[k] += dot(scaled, scaled);
      }
    }
  }
  for (var k = 0u; k < OWN; k++) {
    let probed = head * parameters.probes * parameters.keys + four[k];
    var column = 0.0;
    for (var first = 0u; first < parameters.counted; first += AHEAD) {
      var probability: array<f32, AHEAD>;
      for (var step = 0u; step < AHEAD; step++) {
        probability[step] = probabilities[probed + min(first + step, parameters.counted - 1u) * parameters.keys];
      }
      for (var step = 0u; step < AHEAD; step++) {
        let own = select(0.0, probability[step], AHEAD == 1u || first + step < parameters.counted);
        column = fma(own, own, column);
      }
    }
    if (firstKey + k <= lastKey) {
      valueSquare[head * parameters.keys + firstKey + k] = squares[k];
      columnNorm[head * parameters.keys + firstKey + k] = sqrt(column);
    }
  }
}

// One workgroup per head.
@compute @workgroup_size(LANES)
fn combine(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let head = workgroup.x + workgroup.y * workgroups.x;
  if (head >= parameters.heads) {
    return;
  }
  let start = head * parameters.keys + local;
  let end = (head + 1u) * parameters.keys;
  let keys = f32(parameters.keys);
  var squares = 0.0;
  for (var j = start; j < end; j += AHEAD * LANES) {
    var ahead: array<f32, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      ahead[step] = valueSquare[min(j + step * LANES, end - 1u)];
    }
    for (var step = 0u; step < AHEAD; step++) {
      squares += select(0.0, ahead[step], AHEAD == 1u || j + step * LANES < end);
    }
  }
  let meanSquare = sumOfLanes(vec2f(squares), local).x / keys;
  var own = vec2f(0.0);
  for (var j = start; j < end; j += AHEAD * LANES) {
    var ahead: array<vec2f, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      let key = min(j + step * LANES, end - 1u);
      ahead[step] = vec2f(valueSquare[key], columnNorm[key]);
    }
    for (var step = 0u; step < AHEAD; step++) {
      let size = sqrt(ahead[step].x + meanSquare);
      own += select(vec2f(0.0), vec2f(size, size * ahead[step].y), AHEAD == 1u || j + step * LANES < end);
    }
  }
  let totals = sumOfLanes(own, local);
  let columnShare = parameters.columnShare;
  let valueShare = parameters.valueShare;
  let uniform = parameters.uniformShare / keys;
  for (var j = start; j < end; j += AHEAD * LANES) {
    var ahead: array<vec2f, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      let key = min(j + step * LANES, end - 1u);
      ahead[step] = vec2f(valueSquare[key], columnNorm[key]);
    }
    for (var step = 0u; step < AHEAD; step++) {
      let size = sqrt(ahead[step].x + meanSquare);
      let parts = vec2f(size, size * ahead[step].y);
      let shares = select(vec2f(1.0 / keys), parts / totals, totals > vec2f(0.0));
      if (AHEAD == 1u || j + step * LANES < end) {
        importance[j + step * LANES] = columnShare * shares.y + valueShare * shares.x + uniform;
      }
    }
  }
}
