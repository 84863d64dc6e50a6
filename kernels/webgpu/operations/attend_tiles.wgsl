// Softmax attention for real GPUs: a workgroup takes a tile of query rows, and TILE keys at a time. Inner products and
// weighted sums are products of matrices: an invocation takes HEIGHT rows and four keys, then the same rows and WIDTH
// vec4 columns, so that each vec4 it loads from workgroup memory serves many multiply-adds. In between every invocation
// makes the weights of one row. Rows come in slices, so that workgroup memory does not grow with their width; the next
// slice is on its way while this one is computed.
// Defined in front: LANES, invocations and rows; DOWN and ACROSS, invocations beside one another for rows and for keys or
// columns; HEIGHT, FOUR and WIDTH, what each takes; SLICE, vec4s of features in workgroup memory; GROUPS, fours of values
// there; BATCHES of BATCH rows that are loaded at a time; QUERY_COPIES, KEY_COPIES and VALUE_COPIES, vec4s that each copies;
// FEATURES (vec4s of a query or key row), COLUMNS; see attend_common.wgsl.

const TILE = FOUR * ACROSS;
const SLICES = (FEATURES + SLICE - 1u) / SLICE;
// Vec4s of values that are copied of a key.
const WHOLE = WIDTH * ACROSS;

struct Slice {
  queries: array<array<vec4f, DOWN>, HEIGHT>, // row DOWN · i + down of the tile
  keys: array<array<vec4f, ACROSS>, FOUR>, // key ACROSS · j + across
  // Puts what invocations side by side store into different banks.
  gap: array<vec4f, 2>,
}
var<workgroup> slices: array<Slice, SLICE>;
var<workgroup> values: array<array<array<array<vec4f, ACROSS>, WIDTH>, FOUR>, GROUPS>; // column ACROSS · c + across
// Logits, then weights: of the keys ACROSS · j + across and a row.
var<workgroup> weights: array<array<vec4f, LANES>, ACROSS>;
// Of each row: what sums are to be multiplied by, those of this stretch and those of earlier ones.
var<workgroup> factors: array<vec2f, LANES>;
var<workgroup> resultRows: array<u32, LANES>;
var<workgroup> keyRows: array<u32, TILE>;
var<workgroup> addedWeights: array<array<f32, ACROSS>, FOUR>;
var<workgroup> blocksOfKeys: array<array<u32, ACROSS>, FOUR>;

// Takes one feature of a query and of four keys into their sums.
fn score(own: vec4f, keys: vec4f, sums: vec4f) -> vec4f {
  if (DISTANCES) {
    let difference = own - keys;
    return fma(difference, difference, sums);
  }
  return fma(own, keys, sums);
}

// What a copy of a slice of features takes for vec4 t of a row: 0 past its end.
fn present(t: u32) -> f32 {
  return select(0.0, 1.0, FEATURES % SLICE == 0u || t < FEATURES);
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
  let firstRow = bounds.x + (tile % parameters.blockTiles) * LANES;
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
    let lastRow = min(firstRow + LANES, endRow) - 1u;
    let wraps = firstRow / parameters.period != lastRow / parameters.period;
    endKey = min(range.y, causalEnd(select(lastRow, parameters.period - 1u, wraps)));
  }

  // As the one that makes the weights of a row. Rows past the end of the block repeat its last row and are not stored.
  let row = min(firstRow + local, endRow - 1u);
  let resultRow = queryRow(head, row);
  resultRows[local] = resultRow;
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

  // As the one that takes some rows, and keys or columns.
  let down = local % DOWN;
  let across = local / DOWN;
  let ownColumns = min(COLUMNS, parameters.valueColumns - firstColumn);
  var sums: array<array<vec4f, WIDTH>, HEIGHT>;
  for (var i = 0u; i < HEIGHT; i++) {
    for (var c = 0u; c < WIDTH; c++) {
      sums[i][c] = vec4f(0.0);
    }
  }

  for (var tileStart = firstKey; tileStart < endKey; tileStart += TILE) {
    // Keys past the end repeat the last one, and get the weight 0.
    for (var i = local; i < TILE; i += LANES) {
      let j = min(tileStart + i, endKey - 1u);
      keyRows[i] = keyRow(head, j, blockEnd);
      addedWeights[i / ACROSS][i % ACROSS] = addedWeight(head, j, blockEnd, block);
      if (EXCLUDING) {
        blocksOfKeys[i / ACROSS][i % ACROSS] = keyBlockOf(head, j);
      }
    }
    workgroupBarrier();

    var logits: array<vec4f, HEIGHT>;
    var chain: array<vec4f, HEIGHT>;
    for (var i = 0u; i < HEIGHT; i++) {
      logits[i] = vec4f(0.0);
      chain[i] = vec4f(0.0);
    }
    var queriesAhead: array<vec4f, QUERY_COPIES>;
    var keysAhead: array<Stored, KEY_COPIES>;
    for (var s = 0u; s < QUERY_COPIES; s++) {
      let i = s * LANES + local;
      queriesAhead[s] = query[resultRows[(i / SLICE) % LANES] * FEATURES + min(i % SLICE, FEATURES - 1u)];
    }
    for (var s = 0u; s < KEY_COPIES; s++) {
      let i = s * LANES + local;
      keysAhead[s] = key[keyRows[(i / SLICE) % TILE] * FEATURES + min(i % SLICE, FEATURES - 1u)];
    }
    for (var slice = 0u; slice < SLICES; slice++) {
      workgroupBarrier();
      for (var s = 0u; s < QUERY_COPIES; s++) {
        let i = s * LANES + local;
        if ((s + 1u) * LANES <= LANES * SLICE || i < LANES * SLICE) {
          let r = i / SLICE;
          slices[i % SLICE].queries[r / DOWN][r % DOWN] =
            queriesAhead[s] * (parameters.queryScale * present(slice * SLICE + i % SLICE));
        }
      }
      for (var s = 0u; s < KEY_COPIES; s++) {
        let i = s * LANES + local;
        if ((s + 1u) * LANES <= TILE * SLICE || i < TILE * SLICE) {
          let r = i / SLICE;
          slices[i % SLICE].keys[r / ACROSS][r % ACROSS] = widen(keysAhead[s]) * present(slice * SLICE + i % SLICE);
        }
      }
      workgroupBarrier();
      for (var s = 0u; s < QUERY_COPIES; s++) {
        let i = s * LANES + local;
        let t = min((slice + 1u) * SLICE + i % SLICE, FEATURES - 1u);
        queriesAhead[s] = query[resultRows[(i / SLICE) % LANES] * FEATURES + t];
      }
      for (var s = 0u; s < KEY_COPIES; s++) {
        let i = s * LANES + local;
        let t = min((slice + 1u) * SLICE + i % SLICE, FEATURES - 1u);
        keysAhead[s] = key[keyRows[(i / SLICE) % TILE] * FEATURES + t];
      }
      for (var t = 0u; t < SLICE; t++) {
        let k0 = slices[t].keys[0][across];
        let k1 = slices[t].keys[1][across];
        let k2 = slices[t].keys[2][across];
        let k3 = slices[t].keys[3][across];
        for (var batch = 0u; batch < BATCHES; batch++) {
          var q: array<vec4f, BATCH>;
          for (var b = 0u; b < BATCH; b++) {
            q[b] = slices[t].queries[BATCH * batch + b][down];
          }
          for (var b = 0u; b < BATCH; b++) {
            let i = BATCH * batch + b;
            chain[i] = score(q[b].xxxx, vec4f(k0.x, k1.x, k2.x, k3.x), chain[i]);
            chain[i] = score(q[b].yyyy, vec4f(k0.y, k1.y, k2.y, k3.y), chain[i]);
            chain[i] = score(q[b].zzzz, vec4f(k0.z, k1.z, k2.z, k3.z), chain[i]);
            chain[i] = score(q[b].wwww, vec4f(k0.w, k1.w, k2.w, k3.w), chain[i]);
          }
        }
      }
      if ((slice + 1u) * SLICE % CHAIN == 0u || slice == SLICES - 1u) {
        for (var i = 0u; i < HEIGHT; i++) {
          logits[i] += chain[i];
          chain[i] = vec4f(0.0);
        }
      }
    }
    for (var i = 0u; i < HEIGHT; i++) {
      weights[across][DOWN * i + down] = logits[i];
    }
    var valuesAhead: array<Stored, VALUE_COPIES>;
    for (var s = 0u; s < VALUE_COPIES; s++) {
      let i = s * LANES + local;
      let k = i / WHOLE;
      let column = min(firstColumn + i % WHOLE, parameters.valueColumns - 1u);
      valuesAhead[s] = value[keyRows[(k / FOUR + k % FOUR * ACROSS) % TILE] * parameters.valueColumns + column];
    }
    workgroupBarrier();

    // The logits of a row become weights.
    var newLargest = largest;
    var x: array<vec4f, ACROSS>;
    for (var n = 0u; n < ACROSS; n++) {
      x[n] = weights[n][local] * parameters.scale;
      if (WEIGHTED || SAMPLED) {
        x[n] += vec4f(
          addedWeights[0][n],
          addedWeights[1][n],
          addedWeights[2][n],
          addedWeights[3][n],
        );
      }
      let keys = vec4u(tileStart + n) + vec4u(0u, 1u, 2u, 3u) * ACROSS;
      var hidden = (keys >= vec4u(visibleEnd)) | (x[n] <= vec4f(MASKED));
      if (EXCLUDING) {
        let others = vec4u(
          blocksOfKeys[0][n],
          blocksOfKeys[1][n],
          blocksOfKeys[2][n],
          blocksOfKeys[3][n],
        );
        hidden = hidden | (others == vec4u(ownBlock));
      }
      x[n] = select(x[n], vec4f(EMPTY), hidden);
      newLargest = max(max(newLargest, max(x[n].x, x[n].y)), max(x[n].z, x[n].w));
    }
    let shrink = weigh(largest, newLargest);
    largest = newLargest;
    total *= shrink;
    for (var n = 0u; n < ACROSS; n++) {
      let weight = weighFour(x[n], largest);
      total += (weight.x + weight.y) + (weight.z + weight.w);
      weights[n][local] = weight;
    }
    let nextTile = tileStart + TILE;
    let isStretchEnd = nextTile + TILE - stretchStart > STRETCH && nextTile < endKey;
    let earlierShrink = weigh(earlierLargest, largest);
    factors[local] = vec2f(shrink, earlierShrink);
    if (isStretchEnd) {
      earlierLargest = largest;
      earlierTotal = fma(earlierTotal, earlierShrink, total);
      total = 0.0;
      farTotal *= earlierShrink;
      stretches++;
      if (stretches % TOTALS == 0u) {
        farTotal += earlierTotal;
        earlierTotal = 0.0;
      }
    }

    workgroupBarrier();
    var factor: array<f32, HEIGHT>;
    for (var i = 0u; i < HEIGHT; i++) {
      factor[i] = factors[DOWN * i + down].x;
    }
    for (var i = 0u; i < HEIGHT; i++) {
      for (var c = 0u; c < WIDTH; c++) {
        sums[i][c] *= factor[i];
      }
    }
    for (var first = 0u; first < ACROSS; first += GROUPS) {
      workgroupBarrier();
      for (var s = 0u; s < VALUE_COPIES; s++) {
        let i = s * LANES + local;
        let k = i / WHOLE;
        if ((s + 1u) * LANES <= FOUR * GROUPS * WHOLE || i < FOUR * GROUPS * WHOLE) {
          values[k / FOUR][k % FOUR][i % WHOLE / ACROSS][i % ACROSS] = widen(valuesAhead[s]);
        }
      }
      workgroupBarrier();
      for (var s = 0u; s < VALUE_COPIES; s++) {
        let i = s * LANES + local;
        let k = i / WHOLE;
        let column = min(firstColumn + i % WHOLE, parameters.valueColumns - 1u);
        let keyAt = (first + GROUPS + k / FOUR + k % FOUR * ACROSS) % TILE;
        valuesAhead[s] = value[keyRows[keyAt] * parameters.valueColumns + column];
      }
      for (var n = 0u; n < GROUPS; n++) {
        var weight: array<vec4f, HEIGHT>;
        for (var i = 0u; i < HEIGHT; i++) {
          weight[i] = weights[first + n][DOWN * i + down];
        }
        for (var c = 0u; c < WIDTH; c++) {
          let v0 = values[n][0][c][across];
          let v1 = values[n][1][c][across];
          let v2 = values[n][2][c][across];
          let v3 = values[n][3][c][across];
          for (var i = 0u; i < HEIGHT; i++) {
            sums[i][c] = fma(weight[i].xxxx, v0, sums[i][c]);
            sums[i][c] = fma(weight[i].yyyy, v1, sums[i][c]);
            sums[i][c] = fma(weight[i].zzzz, v2, sums[i][c]);
            sums[i][c] = fma(weight[i].wwww, v3, sums[i][c]);
          }
        }
      }
    }
    // Sums of earlier stretches wait in the output: they are rarely wanted, and registers are dear.
    if (isStretchEnd) {
      if (stretchStart > firstKey) {
        for (var batch = 0u; batch < BATCHES; batch++) {
          var earlier: array<array<vec4f, WIDTH>, BATCH>;
          for (var b = 0u; b < BATCH; b++) {
            let r = DOWN * (BATCH * batch + b) + down;
            let place = (firstResult + resultRows[r]) * parameters.valueColumns + firstColumn;
            for (var c = 0u; c < WIDTH; c++) {
              earlier[b][c] = output[place + min(ACROSS * c + across, ownColumns - 1u)];
            }
          }
          for (var b = 0u; b < BATCH; b++) {
            let i = BATCH * batch + b;
            for (var c = 0u; c < WIDTH; c++) {
              sums[i][c] = fma(earlier[b][c], vec4f(factors[DOWN * i + down].y), sums[i][c]);
            }
          }
        }
      }
      for (var i = 0u; i < HEIGHT; i++) {
        let r = DOWN * i + down;
        let place = (firstResult + resultRows[r]) * parameters.valueColumns + firstColumn;
        for (var c = 0u; c < WIDTH; c++) {
          let column = ACROSS * c + across;
          if ((firstRow + r < endRow) & (column < ownColumns)) {
            output[place + column] = sums[i][c];
          }
          sums[i][c] = vec4f(0.0);
        }
      }
      stretchStart = nextTile;
    }
    workgroupBarrier();
  }

  // Of each row: factors of the sums of earlier stretches, of those of earlier parts, and of all together.
  let earlierShrink = weigh(earlierLargest, largest);
  total = farTotal * earlierShrink + fma(earlierTotal, earlierShrink, total);
  var partShrink = 0.0;
  if (resumes) {
    partShrink = weigh(paused[resting].x, largest);
    total = fma(paused[resting].y, partShrink, total);
  }
  let unit = select(select(0.0, parameters.unit / total, total > 0.0), 1.0, isPartial);
  weights[0][local] = vec4f(earlierShrink, partShrink, unit, 0.0);
  workgroupBarrier();
  if (firstRow + local < endRow) {
    if (isPartial) {
      paused[resting] = vec4f(largest, total, 0.0, 0.0);
    } else if (firstColumn == 0u) {
      logSumExp[resultRow] = select(EMPTY, largest + logarithm(total), total > 0.0);
    }
  }
  for (var i = 0u; i < HEIGHT; i++) {
    let r = DOWN * i + down;
    let joined = weights[0][r];
    let result = firstResult + resultRows[r];
    let place = result * parameters.valueColumns + firstColumn;
    let rest = pausedAt(result, chunk) + 1u;
    for (var c = 0u; c < WIDTH; c++) {
      let column = ACROSS * c + across;
      if (firstRow + r < endRow && column < ownColumns) {
        var sum = sums[i][c];
        if (stretchStart > firstKey) {
          sum = fma(output[place + column], vec4f(joined.x), sum);
        }
        if (resumes) {
          sum = fma(paused[rest + column], vec4f(joined.y), sum);
        }
        if (pauses) {
          paused[rest + column] = sum;
        } else {
          output[place + column] = sum * joined.z;
        }
      }
    }
  }
}
