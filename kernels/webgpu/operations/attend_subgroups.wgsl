// Softmax attention for GPUs with subgroups: lanes that follow one another share four query rows, of each of which a lane holds its
// part of the features and of the sums, so that a vec4 of keys or values that it loads from workgroup memory serves four rows.
// Inner products and weights go from lane to lane. They are four lanes, a quad, or two quads: then a lane holds half as much, which
// GPUs with fewer registers want, and each quad takes every other key for its own, and of the other's the inner products with its
// own features. In between a lane makes the weights of one row, for the keys of its quad.
// A lane counts rows from its own: its row i is row i ^ part of the four, part being its place in the quad. So each exchange brings
// what belongs to its own row, and there is no choosing among rows. It counts the quads that share rows likewise.
// Defined in front: LANES, invocations; QUADS that share rows, OTHERS beside the own one, and SHARING lanes of them; FOUR rows; KEYS
// of a tile for each quad; DEPTH and WIDTH, vec4s of features and of values that a lane holds of a row; KEY_COPIES and VALUE_COPIES,
// vec4s that each copies; FEATURES (vec4s of a query or key row), COLUMNS; see attend_common.wgsl.

const TILE = KEYS * QUADS;
const TILE_ROWS = FOUR * LANES / SHARING;
// Vec4s of a key in workgroup memory, and of its values.
const DEEP = SHARING * DEPTH;
const WHOLE = SHARING * WIDTH;
// exponential(NOTHING) is 0: no bit is left of its exponent.
const NOTHING = -88.0;

var<workgroup> keyTile: array<array<array<array<vec4f, SHARING>, DEPTH>, QUADS>, KEYS>;
var<workgroup> valueTile: array<array<array<array<vec4f, SHARING>, WIDTH>, QUADS>, KEYS>;
var<workgroup> addedWeights: array<array<f32, QUADS>, KEYS>;
var<workgroup> blocksOfKeys: array<array<u32, QUADS>, KEYS>;

// Takes four features of a query and of a key into their sum.
fn score(own: vec4f, other: vec4f, sum: f32) -> f32 {
  if (DISTANCES) {
    let difference = own - other;
    return dotted(difference, difference, sum);
  }
  return dotted(own, other, sum);
}

fn dotted(a: vec4f, b: vec4f, sum: f32) -> f32 {
  return fma(a.w, b.w, fma(a.z, b.z, fma(a.y, b.y, fma(a.x, b.x, sum))));
}

// What a copy of features takes for vec4 t of a row: 0 past its end.
fn present(t: u32) -> f32 {
  return select(0.0, 1.0, FEATURES % SHARING == 0u || t < FEATURES);
}

// What the lanes of the quad have whose own rows are the rows of this lane.
fn ofRows(own: f32) -> vec4f {
  return vec4f(own, quadSwapX(own), quadSwapY(own), quadSwapDiagonal(own));
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = parameters.firstWorkgroup + workgroup.x + workgroup.y * workgroups.x;
  let portions = parameters.tiles * parameters.chunks;
  if (at >= portions * parameters.splits) {
    return;
  }
  let split = at / portions;
  let tile = at % parameters.tiles;
  let chunk = (at % portions) / parameters.tiles;
  let firstColumn = chunk * COLUMNS;
  let pair = tile / parameters.blockTiles;
  let head = pair / parameters.blocks;
  let block = pair % parameters.blocks;
  let bounds = boundsOf(head, block);
  let firstRow = bounds.x + (tile % parameters.blockTiles) * TILE_ROWS;
  let endRow = bounds.y;
  if (firstRow >= endRow) {
    return;
  }
  let range = keyRange(bounds.zw, split);
  let firstKey = range.x;
  let blockEnd = bounds.w;
  var endKey = range.y;
  if (CAUSAL) {
    // The last row of the tile sees most, unless the rows wrap around into the next sequence of queries.
    let lastRow = min(firstRow + TILE_ROWS, endRow) - 1u;
    let wraps = firstRow / parameters.period != lastRow / parameters.period;
    endKey = min(range.y, causalEnd(select(lastRow, parameters.period - 1u, wraps)));
  }

  // As the one that makes the weights of a row. Rows past the end of the block repeat its last row and are not stored.
  let part = local % FOUR;
  let quad = local / FOUR % QUADS;
  let lane = local % SHARING;
  let ownRow = local / SHARING * FOUR + part;
  let row = min(firstRow + ownRow, endRow - 1u);
  let resultRow = queryRow(head, row);
  var visibleEnd = endKey;
  if (CAUSAL) {
    visibleEnd = min(endKey, causalEnd(row));
  }
  var ownBlock = 0u;
  if (EXCLUDING) {
    ownBlock = blockOf(row, parameters.queries, parameters.excludeBlocks);
  }
  // Splits share nothing: each has room for every row, and leaves what join_splits.wgsl joins.
  let firstResult = split * parameters.rows;
  let resting = pausedAt(firstResult + resultRow, chunk);
  let resumes = IN_PARTS && parameters.resumes == 1u;
  let pauses = IN_PARTS && parameters.pauses == 1u;
  let isPartial = pauses || parameters.splits > 1u;
  var largest = EMPTY;
  if (resumes) {
    largest = paused[resting].x;
  }
  var earlierLargest = largest;
  var total = 0.0;
  var earlierTotal = 0.0;
  var farTotal = 0.0;
  var stretches = 0u;
  var stretchStart = firstKey;

  // As the one that takes a part of four rows.
  let rows = vec4u(resultRow, quadSwapX(resultRow), quadSwapY(resultRow), quadSwapDiagonal(resultRow));
  let ownColumns = min(COLUMNS, parameters.valueColumns - firstColumn);
  var queries: array<array<vec4f, DEPTH>, FOUR>;
  var sums: array<array<vec4f, WIDTH>, FOUR>;
  for (var i = 0u; i < FOUR; i++) {
    for (var s = 0u; s < DEPTH; s++) {
      let t = SHARING * s + lane;
      queries[i][s] = query[rows[i] * FEATURES + min(t, FEATURES - 1u)] * (parameters.queryScale * present(t));
    }
    for (var c = 0u; c < WIDTH; c++) {
      sums[i][c] = vec4f(0.0);
    }
  }

  for (var tileStart = firstKey; tileStart < endKey; tileStart += TILE) {
    // Keys past the end repeat the last one, and get the weight 0.
    var keysAhead: array<Stored, KEY_COPIES>;
    for (var s = 0u; s < KEY_COPIES; s++) {
      let i = s * LANES + local;
      let j = min(tileStart + i / DEEP, endKey - 1u);
      keysAhead[s] = key[keyRow(head, j, blockEnd) * FEATURES + min(i % DEEP, FEATURES - 1u)];
    }
    var valuesAhead: array<Stored, VALUE_COPIES>;
    for (var s = 0u; s < VALUE_COPIES; s++) {
      let i = s * LANES + local;
      let j = min(tileStart + i / WHOLE, endKey - 1u);
      let column = min(firstColumn + i % WHOLE, parameters.valueColumns - 1u);
      valuesAhead[s] = value[keyRow(head, j, blockEnd) * parameters.valueColumns + column];
    }
    workgroupBarrier();
    for (var s = 0u; s < KEY_COPIES; s++) {
      let i = s * LANES + local;
      if ((s + 1u) * LANES <= TILE * DEEP || i < TILE * DEEP) {
        let k = i / DEEP;
        keyTile[k / QUADS][k % QUADS][i % DEEP / SHARING][i % SHARING] = widen(keysAhead[s]) * present(i % DEEP);
      }
    }
    for (var s = 0u; s < VALUE_COPIES; s++) {
      let i = s * LANES + local;
      if ((s + 1u) * LANES <= TILE * WHOLE || i < TILE * WHOLE) {
        let k = i / WHOLE;
        valueTile[k / QUADS][k % QUADS][i % WHOLE / SHARING][i % SHARING] = widen(valuesAhead[s]);
      }
    }
    if (WEIGHTED || SAMPLED || EXCLUDING) {
      for (var i = local; i < TILE; i += LANES) {
        let j = min(tileStart + i, endKey - 1u);
        addedWeights[i / QUADS][i % QUADS] = addedWeight(head, j, blockEnd, block);
        if (EXCLUDING) {
          blocksOfKeys[i / QUADS][i % QUADS] = keyBlockOf(head, j);
        }
      }
    }
    workgroupBarrier();

    let left = max(visibleEnd, tileStart + quad) - (tileStart + quad);
    var newLargest = largest;
    var x: array<f32, KEYS>;
    for (var k = 0u; k < KEYS; k++) {
      var products: array<f32, QUADS>;
      for (var m = 0u; m < QUADS; m++) {
        var dots: array<f32, FOUR>;
        for (var i = 0u; i < FOUR; i++) {
          dots[i] = 0.0;
        }
        for (var s = 0u; s < DEPTH; s++) {
          let other = keyTile[k][m ^ quad][s][lane];
          for (var i = 0u; i < FOUR; i++) {
            dots[i] = score(queries[i][s], other, dots[i]);
          }
        }
        products[m] = ((dots[0] + quadSwapX(dots[1])) + quadSwapY(dots[2])) + quadSwapDiagonal(dots[3]);
      }
      var logit = products[0];
      for (var m = 0u; m < OTHERS; m++) {
        logit += subgroupShuffleXor(products[m + 1u], FOUR * (m + 1u));
      }
      x[k] = logit * parameters.scale;
      var hidden = QUADS * k >= left;
      if (WEIGHTED || SAMPLED) {
        x[k] += addedWeights[k][quad];
        hidden = hidden | (x[k] <= MASKED);
      }
      if (EXCLUDING) {
        hidden = hidden | (blocksOfKeys[k][quad] == ownBlock);
      }
      x[k] = select(x[k], EMPTY, hidden);
      newLargest = max(newLargest, x[k]);
    }
    for (var m = 0u; m < OTHERS; m++) {
      newLargest = max(newLargest, subgroupShuffleXor(newLargest, FOUR * (m + 1u)));
    }
    // No hidden logit is near it, even where all are.
    let top = max(newLargest, MASKED);
    let shrink = exponential(max(largest - top, NOTHING));
    largest = newLargest;
    let factors = ofRows(shrink);
    for (var i = 0u; i < FOUR; i++) {
      for (var c = 0u; c < WIDTH; c++) {
        sums[i][c] *= factors[i];
      }
    }
    var tileTotal = 0.0;
    for (var k = 0u; k < KEYS; k++) {
      let weight = exponential(max(x[k] - top, NOTHING));
      tileTotal += weight;
      for (var m = 0u; m < QUADS; m++) {
        var theirs = weight;
        if (m > 0u) {
          theirs = subgroupShuffleXor(weight, FOUR * m);
        }
        let weights = ofRows(theirs);
        for (var c = 0u; c < WIDTH; c++) {
          let other = valueTile[k][m ^ quad][c][lane];
          for (var i = 0u; i < FOUR; i++) {
            sums[i][c] = fma(vec4f(weights[i]), other, sums[i][c]);
          }
        }
      }
    }
    total = fma(total, shrink, tileTotal);

    let nextTile = tileStart + TILE;
    // Sums of earlier stretches wait in the output: they are rarely wanted, and registers are dear.
    if (nextTile + TILE - stretchStart > STRETCH && nextTile < endKey) {
      let earlierShrink = weigh(earlierLargest, largest);
      earlierLargest = largest;
      earlierTotal = fma(earlierTotal, earlierShrink, total);
      total = 0.0;
      farTotal *= earlierShrink;
      stretches++;
      if (stretches % TOTALS == 0u) {
        farTotal += earlierTotal;
        earlierTotal = 0.0;
      }
      if (stretchStart > firstKey) {
        let factors = ofRows(earlierShrink);
        for (var i = 0u; i < FOUR; i++) {
          let place = (firstResult + rows[i]) * parameters.valueColumns + firstColumn;
          var earlier: array<vec4f, WIDTH>;
          for (var c = 0u; c < WIDTH; c++) {
            earlier[c] = output[place + min(SHARING * c + lane, ownColumns - 1u)];
          }
          for (var c = 0u; c < WIDTH; c++) {
            sums[i][c] = fma(earlier[c], vec4f(factors[i]), sums[i][c]);
          }
        }
      }
      for (var i = 0u; i < FOUR; i++) {
        let place = (firstResult + rows[i]) * parameters.valueColumns + firstColumn;
        for (var c = 0u; c < WIDTH; c++) {
          let column = SHARING * c + lane;
          if ((firstRow + (ownRow ^ i) < endRow) & (column < ownColumns)) {
            output[place + column] = sums[i][c];
          }
          sums[i][c] = vec4f(0.0);
        }
      }
      stretchStart = nextTile;
    }
  }

  // Of each row: factors of the sums of earlier stretches, of those of earlier parts, and of all together.
  let earlierShrink = weigh(earlierLargest, largest);
  total = farTotal * earlierShrink + fma(earlierTotal, earlierShrink, total);
  let ofQuad = total;
  for (var m = 0u; m < OTHERS; m++) {
    total += subgroupShuffleXor(ofQuad, FOUR * (m + 1u));
  }
  var partShrink = 0.0;
  if (resumes) {
    partShrink = weigh(paused[resting].x, largest);
    total = fma(paused[resting].y, partShrink, total);
  }
  let unit = select(select(0.0, parameters.unit / total, total > 0.0), 1.0, isPartial);
  let earlierShrinks = ofRows(earlierShrink);
  let partShrinks = ofRows(partShrink);
  let units = ofRows(unit);
  // What other invocations take from `paused` they have by now.
  storageBarrier();
  if (firstRow + ownRow < endRow && quad == 0u) {
    if (isPartial) {
      paused[resting] = vec4f(largest, total, 0.0, 0.0);
    } else if (firstColumn == 0u) {
      logSumExp[resultRow] = select(EMPTY, largest + logarithm(total), total > 0.0);
    }
  }
  for (var i = 0u; i < FOUR; i++) {
    let result = firstResult + rows[i];
    let place = result * parameters.valueColumns + firstColumn;
    let rest = pausedAt(result, chunk) + 1u;
    for (var c = 0u; c < WIDTH; c++) {
      let column = SHARING * c + lane;
      if (firstRow + (ownRow ^ i) < endRow && column < ownColumns) {
        var sum = sums[i][c];
        if (stretchStart > firstKey) {
          sum = fma(output[place + column], vec4f(earlierShrinks[i]), sum);
        }
        if (resumes) {
          sum = fma(paused[rest + column], vec4f(partShrinks[i]), sum);
        }
        if (pauses) {
          paused[rest + column] = sum;
        } else {
          output[place + column] = sum * units[i];
        }
      }
    }
  }
}
