// What stands for the keys of the entries of lists, a workgroup each: see `Backend.sumLists`. Behind elementary.wgsl and
// reductions.wgsl.
// parameters.heads, centres, count, most: shapes; columns: vec4s of a row of `source`; meanColumns: vec4s of a row of `means` and
// `centre`; firstWorkgroup: where this dispatch begins, of several that share the work. Defined in front: AHEAD, turns of a loop
// that are written out.

struct Parameters {
  heads: u32,
  centres: u32,
  count: u32,
  most: u32,
  columns: u32,
  meanColumns: u32,
  firstWorkgroup: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> entries: array<u32>; // (heads, most, 3) u32, see list_entries.wgsl
@group(0) @binding(2) var<storage, read> weights: array<f32>; // (heads, centres, count) f32
@group(0) @binding(3) var<storage, read> source: array<vec4f>; // (heads, count, 4 columns) f32: keys, values, or rows of the tree
@group(0) @binding(4) var<storage, read_write> means: array<vec4f>; // (heads, most, 4 meanColumns) f32: of keys, or of values
@group(0) @binding(5) var<storage, read> centre: array<vec4f>; // (heads, centres, 4 meanColumns) f32
@group(0) @binding(6) var<storage, read> logMass: array<f32>; // (heads, centres) f32
@group(0) @binding(7) var<storage, read_write> logWeight: array<f32>; // (heads, most) f32

// Keys of an entry: rows of `source`, and weights, from a place on; its mass, 0 if one row stands for all of them.
struct Entry {
  row: u32,
  weight: u32,
  count: u32,
  mass: f32,
}

var<workgroup> sums: array<vec4f, LANES>;
var<workgroup> agreed: vec4u;

fn agreeOn(value: vec4u, local: u32) -> vec4u {
  if (local == 0u) {
    agreed = value;
  }
  return workgroupUniformLoad(&agreed);
}

fn entryAt(place: u32, range: vec4u, local: u32) -> Entry {
  let head = place / parameters.most;
  var entry: Entry;
  entry.row = (head * parameters.count + range.x) * parameters.columns;
  entry.weight = (head * parameters.centres + range.z) * parameters.count + range.x;
  entry.count = range.y - range.x;
  var mass = 0.0;
  for (var first = local; first < entry.count; first += AHEAD * LANES) {
    for (var step = 0u; step < AHEAD; step++) {
      let j = first + step * LANES;
      if (j < entry.count) {
        mass += weights[entry.weight + j];
      }
    }
  }
  entry.mass = sumOfLanes(vec2f(mass, 0.0), local).x;
  return entry;
}

// The mean of a column: all lanes of a column have it.
fn meanOf(entry: Entry, first: u32, local: u32) -> vec4f {
  let columns = parameters.columns;
  let wide = min(columns, LANES);
  let parts = LANES / wide;
  let part = local / wide;
  let column = first + local % wide;
  let takes = part < parts && column < columns;
  var sum = vec4f(0.0);
  if (takes) {
    for (var next = part; next < entry.count; next += AHEAD * parts) {
      for (var step = 0u; step < AHEAD; step++) {
        let j = next + step * parts;
        if (j < entry.count) {
          sum = fma(vec4f(weights[entry.weight + j]), source[entry.row + j * columns + column], sum);
        }
      }
    }
  }
  workgroupBarrier();
  sums[local] = sum;
  workgroupBarrier();
  var mean = vec4f(0.0);
  if (takes) {
    for (var other = 0u; other < parts; other++) {
      mean += sums[other * wide + local % wide];
    }
    mean /= entry.mass;
  }
  return mean;
}

// Means of keys, or of values.
@compute @workgroup_size(LANES)
fn average(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = parameters.firstWorkgroup + workgroup.x + workgroup.y * workgroups.x;
  if (place >= parameters.heads * parameters.most) {
    return;
  }
  let columns = parameters.columns;
  let range = agreeOn(vec4u(entries[3u * place], entries[3u * place + 1u], entries[3u * place + 2u], 0u), local);
  if (range.y - range.x < 2u) {
    let row = (place / parameters.most * parameters.count + range.x) * columns;
    for (var column = local; column < columns; column += LANES) {
      var only = vec4f(0.0);
      if (range.y > range.x) {
        only = source[row + column];
      }
      means[place * columns + column] = only;
    }
    return;
  }
  let entry = entryAt(place, range, local);
  let wide = min(columns, LANES);
  for (var first = 0u; first < columns; first += wide) {
    let mean = meanOf(entry, first, local);
    let column = first + local;
    if (local < wide && column < columns) {
      if (entry.mass > 0.0) {
        means[place * columns + column] = mean;
      } else {
        // No key weighs anything.
        means[place * columns + column] = source[entry.row + column];
      }
    }
  }
}

// What a query adds to its logit with the mean key.
@compute @workgroup_size(LANES)
fn weigh(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = parameters.firstWorkgroup + workgroup.x + workgroup.y * workgroups.x;
  if (place >= parameters.heads * parameters.most) {
    return;
  }
  let columns = parameters.columns;
  let range = agreeOn(vec4u(entries[3u * place], entries[3u * place + 1u], entries[3u * place + 2u], 0u), local);
  if (range.x == range.y) {
    if (local == 0u) {
      logWeight[place] = EMPTY;
    }
    return;
  }
  let entry = entryAt(place, range, local);
  let wide = min(columns, LANES);
  let parts = LANES / wide;
  let part = local / wide;
  var squares = vec4f(0.0);
  for (var first = 0u; first < select(columns, 0u, range.y - range.x < 2u); first += wide) {
    let mean = meanOf(entry, first, local);
    let column = first + local % wide;
    if (part < parts && column < columns && entry.mass > 0.0) {
      for (var next = part; next < entry.count; next += AHEAD * parts) {
        for (var step = 0u; step < AHEAD; step++) {
          let j = next + step * parts;
          if (j < entry.count) {
            let difference = source[entry.row + j * columns + column] - mean;
            squares = fma(weights[entry.weight + j] * difference, difference, squares);
          }
        }
      }
    }
  }
  let row = place / parameters.most * parameters.centres + range.z;
  var products = vec4f(0.0);
  for (var column = local; column < parameters.meanColumns; column += LANES) {
    let mean = means[place * parameters.meanColumns + column];
    products = fma(centre[row * parameters.meanColumns + column], mean, products);
  }
  let own = vec2f(
    (squares.x + squares.y) + (squares.z + squares.w),
    (products.x + products.y) + (products.z + products.w),
  );
  workgroupBarrier();
  let found = sumOfLanes(own, local);
  if (local == 0u) {
    logWeight[place] = EMPTY;
    if (entry.mass > 0.0) {
      // The variance last: the others may be large and all but cancel.
      logWeight[place] = (logMass[row] - found.y) + (logarithm(entry.mass) + 0.5 * (found.x / entry.mass));
    }
  }
}
