// What the two kernels of `Backend.growTree` share: the rows, the tree so far, and on which side of a plane a row lies.
// parameters.heads, count: shapes; columns: vec4s of a row; slots: places of nodes of more than BLOCK rows per head; level: cuts from
// the whole down to the nodes that are cut now; rest: 1 to cut these down to BLOCK rows at once. Defined in front: BLOCK, rows of a
// node that one workgroup cuts down to single rows; AHEAD, turns of a loop that are written out; FRONT, what an invocation of a GPU
// loads in front of what uses it: 1 on the CPU, where that takes longer.

struct Parameters {
  heads: u32,
  count: u32,
  columns: u32,
  slots: u32,
  level: u32,
  rest: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> rows: array<vec4f>; // (heads, count, 4 columns) f32
@group(0) @binding(2) var<storage, read_write> order: array<u32>; // (heads, count) u32
@group(0) @binding(3) var<storage, read_write> cuts: array<u32>; // (heads, count, 4) u32
// (heads, count, 4 columns) f32: where a node begins the normal of its plane, and behind it the sum of the two centres.
@group(0) @binding(4) var<storage, read_write> planes: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> products: array<f32>; // (heads, count) f32: those of members with the normal of their node
@group(0) @binding(6) var<storage, read_write> moved: array<u32>; // (heads, count) u32: members on their way
// (2, heads, slots, 4) u32: begin, end, link and level of nodes to be cut, at even levels and at odd ones. Nodes of more than BLOCK rows
// do not begin in the same BLOCK places: these number them.
@group(0) @binding(7) var<storage, read_write> nodes: array<u32>;

const STEPS = 3u;

fn rowAt(head: u32, member: u32) -> u32 {
  return (head * parameters.count + member) * parameters.columns;
}

// Squared distance of two rows.
fn distanceOf(row: u32, other: u32) -> f32 {
  let columns = parameters.columns;
  var squares = vec4f(0.0);
  for (var first = 0u; first < select(0u, columns, FRONT > 1u); first += FRONT) {
    var differences: array<vec4f, FRONT>;
    for (var step = 0u; step < FRONT; step++) {
      let c = min(first + step, columns - 1u);
      differences[step] = select(0.0, 1.0, first + step < columns) * (rows[row + c] - rows[other + c]);
    }
    for (var step = 0u; step < FRONT; step++) {
      squares = fma(differences[step], differences[step], squares);
    }
  }
  for (var first = select(0u, columns, FRONT > 1u); first < columns; first += AHEAD) {
    for (var step = 0u; step < AHEAD; step++) {
      let c = first + step;
      if (c < columns) {
        let difference = rows[row + c] - rows[other + c];
        squares = fma(difference, difference, squares);
      }
    }
  }
  return (squares.x + squares.y) + (squares.z + squares.w);
}

// <row, normal>: no more than half-way between the centres on the near side.
fn productOf(row: u32, plane: u32) -> f32 {
  let columns = parameters.columns;
  var sums = vec4f(0.0);
  for (var first = 0u; first < select(0u, columns, FRONT > 1u); first += FRONT) {
    var own: array<vec4f, FRONT>;
    var across: array<vec4f, FRONT>;
    for (var step = 0u; step < FRONT; step++) {
      let c = min(first + step, columns - 1u);
      own[step] = rows[row + c];
      across[step] = select(0.0, 1.0, first + step < columns) * planes[plane + c];
    }
    for (var step = 0u; step < FRONT; step++) {
      sums = fma(own[step], across[step], sums);
    }
  }
  for (var first = select(0u, columns, FRONT > 1u); first < columns; first += AHEAD) {
    for (var step = 0u; step < AHEAD; step++) {
      let c = first + step;
      if (c < columns) {
        sums = fma(rows[row + c], planes[plane + c], sums);
      }
    }
  }
  return (sums.x + sums.y) + (sums.z + sums.w);
}

fn setPlane(plane: u32, column: u32, near: vec4f, far: vec4f) {
  planes[plane + column] = far - near;
  planes[plane + parameters.columns + column] = far + near;
}

// The place that divides a sample: half-way between the centres, but each side has an eighth.
fn limitOf(middle: f32, lowest: f32, highest: f32) -> f32 {
  return min(max(middle, lowest), max(highest, lowest));
}

fn leastOf(samples: u32) -> u32 {
  return (samples + 7u) / 8u;
}

fn enterCut(head: u32, begin: u32, end: u32, cut: u32, link: u32) {
  let own = 4u * head * parameters.count;
  cuts[own + link] = cut;
  cuts[own + 4u * cut] = begin;
  cuts[own + 4u * cut + 1u] = end;
}
