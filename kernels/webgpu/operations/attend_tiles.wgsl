// Softmax attention, one query row per invocation and tiles of TILE keys and values in workgroup memory.
// For real GPUs: a workgroup reads every key once for all of its rows.
// Defined in front: LANES, TILE (a multiple of 4), FEATURES (vec4s of a query or key row), COLUMNS; see attend_common.wgsl.

var<workgroup> keyTile: array<Stored, TILE * FEATURES>; // (TILE, 4 FEATURES) f32 or f16
var<workgroup> valueTile: array<Stored, TILE * COLUMNS>; // (TILE, 4 COLUMNS) f32 or f16
var<workgroup> weightTile: array<f32, TILE>;
var<workgroup> blockTile: array<u32, TILE>;

// Takes one feature of a query and of four keys into their sums.
fn score(own: vec4f, keys: vec4f, sums: vec4f) -> vec4f {
  if (DISTANCES) {
    let difference = own - keys;
    return fma(difference, difference, sums);
  }
  return fma(own, keys, sums);
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = parameters.firstWorkgroup + workgroup.x + workgroup.y * workgroups.x;
  if (at >= parameters.tiles * parameters.chunks) {
    return;
  }
  let tile = at % parameters.tiles;
  let chunk = at / parameters.tiles;
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
  let range = keyRange(bounds.zw);
  let firstKey = range.x;
  let blockEnd = bounds.w;
  var endKey = range.y;
  if (CAUSAL) {
    // The last row of the tile sees most, unless the rows wrap around into the next sequence of queries.
    let lastRow = min(firstRow + LANES, endRow) - 1u;
    let wraps = firstRow / parameters.period != lastRow / parameters.period;
    endKey = min(range.y, causalEnd(select(lastRow, parameters.period - 1u, wraps)));
  }

  // Rows past the end of the block repeat its last row; they help loading and are not stored.
  let row = min(firstRow + local, endRow - 1u);
  var visibleEnd = endKey;
  if (CAUSAL) {
    visibleEnd = min(endKey, causalEnd(row));
  }
  var ownBlock = 0u;
  if (EXCLUDING) {
    ownBlock = blockOf(row, parameters.queries, parameters.excludeBlocks);
  }
  let outputRow = queryRow(head, row);
  let queryPlace = outputRow * FEATURES;
  var q: array<vec4f, FEATURES>;
  for (var t = 0u; t < FEATURES; t++) {
    q[t] = query[queryPlace + t] * queryFactor();
  }
  var sums: array<vec4f, COLUMNS>;
  for (var c = 0u; c < COLUMNS; c++) {
    sums[c] = vec4f(0.0);
  }
  var largest = EMPTY;
  var total = 0.0;
  // Sums of earlier stretches wait in the output: they are rarely wanted, and registers are dear.
  let isStored = firstRow + local < endRow;
  let place = outputRow * parameters.valueColumns + firstColumn;
  let ownColumns = min(COLUMNS, parameters.valueColumns - firstColumn);
  var stretchStart = firstKey;
  var earlierTotal = 0.0;
  var farTotal = 0.0;
  let resting = pausedAt(outputRow, chunk);
  if (IN_PARTS && parameters.resumes == 1u) {
    largest = paused[resting].x;
  }
  var earlierLargest = largest;
  var stretches = 0u;

  for (var tileStart = firstKey; tileStart < endKey; tileStart += TILE) {
    let present = min(TILE, endKey - tileStart);
    for (var i = local; i < present * FEATURES; i += LANES) {
      keyTile[i] = key[keyRow(head, tileStart + i / FEATURES, blockEnd) * FEATURES + i % FEATURES];
    }
    for (var i = local; i < present * COLUMNS; i += LANES) {
      let column = min(firstColumn + i % COLUMNS, parameters.valueColumns - 1u);
      valueTile[i] = value[keyRow(head, tileStart + i / COLUMNS, blockEnd) * parameters.valueColumns + column];
    }
    for (var i = local; i < present; i += LANES) {
      weightTile[i] = addedWeight(head, tileStart + i, blockEnd, block);
      if (EXCLUDING) {
        blockTile[i] = keyBlockOf(head, tileStart + i);
      }
    }
    workgroupBarrier();
    // Four keys at a time, so that maxima and exponentials are vec4s and rescaling is rare. What a last, short tile
    // leaves over of the tile before it is finite, and gets the weight 0.
    for (var j = 0u; j < present; j += 4u) {
      var x = vec4f(0.0);
      var chain = vec4f(0.0);
      for (var t = 0u; t < FEATURES; t++) {
        let k0 = widen(keyTile[j * FEATURES + t]);
        let k1 = widen(keyTile[(j + 1u) * FEATURES + t]);
        let k2 = widen(keyTile[(j + 2u) * FEATURES + t]);
        let k3 = widen(keyTile[(j + 3u) * FEATURES + t]);
        chain = score(q[t].xxxx, vec4f(k0.x, k1.x, k2.x, k3.x), chain);
        chain = score(q[t].yyyy, vec4f(k0.y, k1.y, k2.y, k3.y), chain);
        chain = score(q[t].zzzz, vec4f(k0.z, k1.z, k2.z, k3.z), chain);
        chain = score(q[t].wwww, vec4f(k0.w, k1.w, k2.w, k3.w), chain);
        if (t % CHAIN == CHAIN - 1u || t == FEATURES - 1u) {
          x += chain;
          chain = vec4f(0.0);
        }
      }
      if (DISTANCES) {
        x *= parameters.scale;
      }
      if (WEIGHTED || SAMPLED) {
        x += vec4f(weightTile[j], weightTile[j + 1u], weightTile[j + 2u], weightTile[j + 3u]);
      }
      var hidden = (vec4u(tileStart + j) + vec4u(0u, 1u, 2u, 3u) >= vec4u(visibleEnd)) | (x <= vec4f(MASKED));
      if (EXCLUDING) {
        let blocksOfKeys = vec4u(blockTile[j], blockTile[j + 1u], blockTile[j + 2u], blockTile[j + 3u]);
        hidden = hidden | (blocksOfKeys == vec4u(ownBlock));
      }
      x = select(x, vec4f(EMPTY), hidden);
      let newLargest = max(max(largest, max(x.x, x.y)), max(x.z, x.w));
      if (newLargest > largest) {
        let shrink = weigh(largest, newLargest);
        largest = newLargest;
        total *= shrink;
        for (var c = 0u; c < COLUMNS; c++) {
          sums[c] *= shrink;
        }
      }
      let weights = vec4f(weigh(x.x, largest), weigh(x.y, largest), weigh(x.z, largest), weigh(x.w, largest));
      total += (weights.x + weights.y) + (weights.z + weights.w);
      for (var c = 0u; c < COLUMNS; c++) {
        sums[c] = fma(weights.xxxx, widen(valueTile[j * COLUMNS + c]), sums[c]);
        sums[c] = fma(weights.yyyy, widen(valueTile[(j + 1u) * COLUMNS + c]), sums[c]);
        sums[c] = fma(weights.zzzz, widen(valueTile[(j + 2u) * COLUMNS + c]), sums[c]);
        sums[c] = fma(weights.wwww, widen(valueTile[(j + 3u) * COLUMNS + c]), sums[c]);
      }
    }
    let nextTile = tileStart + TILE;
    if (nextTile + TILE - stretchStart > STRETCH && nextTile < endKey) {
      let shrink = weigh(earlierLargest, largest);
      earlierLargest = largest;
      earlierTotal = fma(earlierTotal, shrink, total);
      total = 0.0;
      farTotal *= shrink;
      stretches++;
      if (stretches % TOTALS == 0u) {
        farTotal += earlierTotal;
        earlierTotal = 0.0;
      }
      for (var c = 0u; c < COLUMNS; c++) {
        if (isStored && c < ownColumns) {
          if (stretchStart > firstKey) {
            sums[c] = fma(output[place + c], vec4f(shrink), sums[c]);
          }
          output[place + c] = sums[c];
        }
        sums[c] = vec4f(0.0);
      }
      stretchStart = nextTile;
    }
    workgroupBarrier();
  }

  if (isStored) {
    var shrink = weigh(earlierLargest, largest);
    total = farTotal * shrink + fma(earlierTotal, shrink, total);
    if (stretchStart > firstKey) {
      for (var c = 0u; c < COLUMNS; c++) {
        if (c < ownColumns) {
          sums[c] = fma(output[place + c], vec4f(shrink), sums[c]);
        }
      }
    }
    if (IN_PARTS && parameters.resumes == 1u) {
      shrink = weigh(paused[resting].x, largest);
      total = fma(paused[resting].y, shrink, total);
      for (var c = 0u; c < COLUMNS; c++) {
        sums[c] = fma(paused[resting + 1u + c], vec4f(shrink), sums[c]);
      }
    }
    if (IN_PARTS && parameters.pauses == 1u) {
      paused[resting] = vec4f(largest, total, 0.0, 0.0);
      for (var c = 0u; c < COLUMNS; c++) {
        paused[resting + 1u + c] = sums[c];
      }
    } else {
      let inverse = select(0.0, parameters.unit / total, total > 0.0);
      for (var c = 0u; c < COLUMNS; c++) {
        if (c < ownColumns) {
          output[place + c] = sums[c] * inverse;
        }
      }
      if (firstColumn == 0u) {
        logSumExp[outputRow] = select(EMPTY, largest + logarithm(total), total > 0.0);
      }
    }
  }
}
