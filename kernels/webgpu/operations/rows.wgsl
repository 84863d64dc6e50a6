// Row-wise primitives: columnMean at once or in two levels, centreRows, gatherRows and resizeRows.
// Defined in front: Element, f32 or vec4f; LANES, lanes that share a row; ROWS, rows of a workgroup;
// STEPS, elements of a row that one lane takes; AHEAD, elements that a lane loads at a time; WHOLE, invocations of
// `wholeMean`'s workgroups, and TOGETHER, their neighbouring columns.
// parameters.heads, count, width: shape of `rows` in elements; picks: rows per head of `result` (gather), chunks of the
// mean, or width of a resized row; chunkRows: rows that one invocation of `partialMean` sums.

struct Parameters {
  heads: u32,
  count: u32,
  width: u32,
  picks: u32,
  chunkRows: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> rows: array<Element>; // (heads, count, width) f32
@group(0) @binding(2) var<storage, read> other: array<Element>; // partial sums (heads, chunks, width) or centre (heads, width)
@group(0) @binding(3) var<storage, read> index: array<u32>; // (heads, picks) u32
@group(0) @binding(4) var<storage, read_write> result: array<Element>;

var<workgroup> partial: array<Element, WHOLE>;

// A workgroup takes TOGETHER columns of a head, and its lanes share their rows. picks: workgroups of a head.
@compute @workgroup_size(WHOLE)
fn wholeMean(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = workgroup.x + workgroup.y * workgroups.x;
  let head = at / parameters.picks;
  if (head >= parameters.heads) {
    return;
  }
  let column = (at % parameters.picks) * TOGETHER + local % TOGETHER;
  let parts = WHOLE / TOGETHER;
  let headStart = head * parameters.count * parameters.width + min(column, parameters.width - 1u);
  // Differences from the first row: a constant column sums to exactly 0.
  let first = rows[headStart];
  var sum = Element();
  for (var i = local / TOGETHER; i < parameters.count; i += AHEAD * parts) {
    var ahead: array<Element, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      // Rows past the end are the first one, and add 0.
      let row = i + step * parts;
      ahead[step] = rows[headStart + select(0u, row, row < parameters.count) * parameters.width];
    }
    for (var step = 0u; step < AHEAD; step++) {
      sum += ahead[step] - first;
    }
  }
  partial[local] = sum;
  workgroupBarrier();
  for (var distance = WHOLE / 2u; distance >= TOGETHER; distance /= 2u) {
    if (local < distance) {
      partial[local] += partial[local + distance];
    }
    workgroupBarrier();
  }
  if (local < TOGETHER && column < parameters.width) {
    result[head * parameters.width + column] = first + partial[local] / f32(parameters.count);
  }
}

@compute @workgroup_size(64)
fn partialMean(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let chunk = at / parameters.width;
  let column = at % parameters.width;
  let head = chunk / parameters.picks;
  if (head >= parameters.heads) {
    return;
  }
  let headStart = head * parameters.count * parameters.width + column;
  let start = (chunk % parameters.picks) * parameters.chunkRows;
  let end = min(start + parameters.chunkRows, parameters.count);
  // Differences from the first row: a constant column sums to exactly 0.
  let first = rows[headStart];
  var sum = Element();
  for (var i = start; i < end; i += AHEAD) {
    var ahead: array<Element, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      // Rows past the end are the first one, and add 0.
      ahead[step] = rows[headStart + select(0u, i + step, AHEAD == 1u || i + step < end) * parameters.width];
    }
    for (var step = 0u; step < AHEAD; step++) {
      sum += ahead[step] - first;
    }
  }
  result[at] = sum;
}

@compute @workgroup_size(64)
fn columnMean(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let head = at / parameters.width;
  let column = at % parameters.width;
  if (head >= parameters.heads) {
    return;
  }
  var sum = Element();
  for (var chunk = 0u; chunk < parameters.picks; chunk += AHEAD) {
    var ahead: array<Element, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      let at = min(chunk + step, parameters.picks - 1u);
      ahead[step] = other[(head * parameters.picks + at) * parameters.width + column];
    }
    for (var step = 0u; step < AHEAD; step++) {
      sum += select(0.0, 1.0, AHEAD == 1u || chunk + step < parameters.picks) * ahead[step];
    }
  }
  result[at] = rows[head * parameters.count * parameters.width + column] + sum / f32(parameters.count);
}

@compute @workgroup_size(LANES, ROWS)
fn centreRows(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let row = (workgroup.x + workgroup.y * workgroups.x) * ROWS + local.y;
  let head = row / parameters.count;
  if (head >= parameters.heads) {
    return;
  }
  let start = row * parameters.width;
  let centre = head * parameters.width;
  for (var step = 0u; step < STEPS; step++) {
    let column = step * LANES + local.x;
    if (column < parameters.width) {
      result[start + column] = rows[start + column] - other[centre + column];
    }
  }
}

@compute @workgroup_size(LANES, ROWS)
fn gatherRows(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let row = (workgroup.x + workgroup.y * workgroups.x) * ROWS + local.y;
  let head = row / parameters.picks;
  if (head >= parameters.heads) {
    return;
  }
  let start = row * parameters.width;
  let source = (head * parameters.count + index[row]) * parameters.width;
  for (var step = 0u; step < STEPS; step++) {
    let column = step * LANES + local.x;
    if (column < parameters.width) {
      result[start + column] = rows[source + column];
    }
  }
}

@compute @workgroup_size(LANES, ROWS)
fn resizeRows(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let row = (workgroup.x + workgroup.y * workgroups.x) * ROWS + local.y;
  if (row >= parameters.heads * parameters.count) {
    return;
  }
  for (var step = 0u; step < STEPS; step++) {
    let column = step * LANES + local.x;
    if (column < parameters.picks) {
      var resized = Element();
      if (column < parameters.width) {
        resized = rows[row * parameters.width + column];
      }
      result[row * parameters.picks + column] = resized;
    }
  }
}
