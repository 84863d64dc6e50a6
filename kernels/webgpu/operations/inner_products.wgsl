// Inner products of rows with directions.
// parameters.heads, count, projections: shapes; columns: vec4s of a row; rowTiles, directionTiles: tiles of four per head.
// Defined in front: AHEAD, vec4s of a row that `single` loads at a time.

struct Parameters {
  heads: u32,
  count: u32,
  columns: u32,
  projections: u32,
  rowTiles: u32,
  directionTiles: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> rows: array<vec4f>; // (heads, count, 4 columns) f32
@group(0) @binding(2) var<storage, read> directions: array<vec4f>; // (heads, projections, 4 columns) f32
@group(0) @binding(3) var<storage, read_write> products: array<f32>; // (heads, count, projections) f32

// Four rows by four directions: each vec4 that is loaded serves four inner products.
@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let tile = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let rowTile = tile / parameters.directionTiles;
  let head = rowTile / parameters.rowTiles;
  if (head >= parameters.heads) {
    return;
  }
  let firstRow = (rowTile % parameters.rowTiles) * 4u;
  let firstDirection = (tile % parameters.directionTiles) * 4u;
  // Rows and directions past the end repeat the last one and are not stored.
  let offsets = vec4u(0u, 1u, 2u, 3u);
  let row = vec4u(head * parameters.count) + min(vec4u(firstRow) + offsets, vec4u(parameters.count - 1u));
  let direction = vec4u(head * parameters.projections) +
    min(vec4u(firstDirection) + offsets, vec4u(parameters.projections - 1u));
  var first = vec4f(0.0);
  var second = vec4f(0.0);
  var third = vec4f(0.0);
  var fourth = vec4f(0.0);
  for (var column = 0u; column < parameters.columns; column++) {
    let a = rows[row.x * parameters.columns + column];
    let b = rows[row.y * parameters.columns + column];
    let c = rows[row.z * parameters.columns + column];
    let d = rows[row.w * parameters.columns + column];
    let p = directions[direction.x * parameters.columns + column];
    let q = directions[direction.y * parameters.columns + column];
    let r = directions[direction.z * parameters.columns + column];
    let s = directions[direction.w * parameters.columns + column];
    first += vec4f(dot(a, p), dot(a, q), dot(a, r), dot(a, s));
    second += vec4f(dot(b, p), dot(b, q), dot(b, r), dot(b, s));
    third += vec4f(dot(c, p), dot(c, q), dot(c, r), dot(c, s));
    fourth += vec4f(dot(d, p), dot(d, q), dot(d, r), dot(d, s));
  }
  let rowsLeft = parameters.count - firstRow;
  let left = parameters.projections - firstDirection;
  let place = (head * parameters.count + firstRow) * parameters.projections + firstDirection;
  storeRow(place, left, first);
  if (rowsLeft > 1u) {
    storeRow(place + parameters.projections, left, second);
  }
  if (rowsLeft > 2u) {
    storeRow(place + 2u * parameters.projections, left, third);
  }
  if (rowsLeft > 3u) {
    storeRow(place + 3u * parameters.projections, left, fourth);
  }
}

fn storeRow(place: u32, left: u32, values: vec4f) {
  products[place] = values.x;
  if (left > 1u) {
    products[place + 1u] = values.y;
  }
  if (left > 2u) {
    products[place + 2u] = values.z;
  }
  if (left > 3u) {
    products[place + 3u] = values.w;
  }
}

// One direction a head: a row per invocation.
@compute @workgroup_size(64)
fn single(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let head = at / parameters.count;
  if (head >= parameters.heads) {
    return;
  }
  let columns = parameters.columns;
  var sum = 0.0;
  for (var next = 0u; next < columns; next += AHEAD) {
    var own: array<vec4f, AHEAD>;
    var along: array<vec4f, AHEAD>;
    for (var step = 0u; step < AHEAD; step++) {
      let column = min(next + step, columns - 1u);
      own[step] = rows[at * columns + column];
      along[step] = directions[head * columns + column];
    }
    for (var step = 0u; step < AHEAD; step++) {
      sum += select(0.0, dot(own[step], along[step]), AHEAD == 1u || next + step < columns);
    }
  }
  products[at] = sum;
}
