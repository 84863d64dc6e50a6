// Moments of few rows for a tile of four centres: see `Backend.tiltKeys`. Behind key_scatters.wgsl, which has rows, weights and shapes.
// Defined in front: FOUR = 4, centres that a row that is loaded serves, and FRONT, rows that a lane loads in front of what uses them.

// A tile of centres of a head: their first row of all centres' rows, and where the weights of each begin. Centres past the end repeat
// the last one and are not stored.
struct Tile {
  head: u32,
  row: u32,
  present: u32,
  weights: vec4u,
}

fn tileAt(place: u32) -> Tile {
  var tile: Tile;
  tile.head = place / parameters.tiles;
  let first = FOUR * (place % parameters.tiles);
  tile.row = tile.head * parameters.centres + first;
  tile.present = min(FOUR, parameters.centres - first);
  let offsets = min(vec4u(0u, 1u, 2u, 3u), vec4u(tile.present - 1u));
  tile.weights = (vec4u(tile.row) + offsets) * parameters.count;
  return tile;
}

fn weightsAt(tile: Tile, place: u32) -> vec4f {
  let at = tile.weights + vec4u(place);
  return vec4f(weights[at.x], weights[at.y], weights[at.z], weights[at.w]);
}

// The means of a column of few rows for the four centres, and their masses.
struct Means {
  columns: array<vec4f, FOUR>,
  mass: vec4f,
}

// Rows that are loaded together, and their weights: 0 for what lies past the end.
struct Front {
  weights: array<vec4f, FRONT>,
  rows: array<vec4f, FRONT>,
}

fn loadFront(tile: Tile, column: u32, begin: u32, end: u32) -> Front {
  let own = tile.head * parameters.count * parameters.columns + column;
  var front: Front;
  for (var step = 0u; step < FRONT; step++) {
    let j = min(begin + step, end - 1u);
    front.weights[step] = select(vec4f(0.0), weightsAt(tile, j), FRONT == 1u || begin + step < end);
    front.rows[step] = rows[own + j * parameters.columns];
  }
  return front;
}

fn meansOf(tile: Tile, column: u32, begin: u32, end: u32) -> Means {
  var sums: array<vec4f, FOUR>;
  for (var c = 0u; c < FOUR; c++) {
    sums[c] = vec4f(0.0);
  }
  var mass = vec4f(0.0);
  for (var next = begin; next < end; next += FRONT) {
    let front = loadFront(tile, column, next, end);
    for (var step = 0u; step < FRONT; step++) {
      mass += front.weights[step];
      for (var c = 0u; c < FOUR; c++) {
        sums[c] = fma(vec4f(front.weights[step][c]), front.rows[step], sums[c]);
      }
    }
  }
  var means: Means;
  means.mass = mass;
  for (var c = 0u; c < FOUR; c++) {
    means.columns[c] = select(vec4f(0.0), sums[c] / max(mass[c], LEAST_MASS), mass[c] > 0.0);
  }
  return means;
}

// What a column of few rows adds to the scatters for the four centres.
fn scattersAbout(tile: Tile, means: Means, column: u32, begin: u32, end: u32) -> vec4f {
  var squares = vec4f(0.0);
  for (var next = begin; next < end; next += FRONT) {
    let front = loadFront(tile, column, next, end);
    for (var step = 0u; step < FRONT; step++) {
      var square = vec4f(0.0);
      for (var c = 0u; c < FOUR; c++) {
        let difference = front.rows[step] - means.columns[c];
        square[c] = dot(difference, difference);
      }
      squares = fma(front.weights[step], square, squares);
    }
  }
  return squares;
}
