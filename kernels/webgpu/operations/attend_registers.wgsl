// Softmax attention, each invocation with ROWS query rows and COLUMNS vec4 columns of the values in registers.
// For adapters emulated on the CPU, where loads limit: ROWS rows share every key and value that is loaded.
// Defined in front: LANES, ROWS, FEATURES (vec4s of a query or key row), COLUMNS; see attend_common.wgsl.

// Keys between two looks at the maximum: on these adapters a branch saves nothing, so rescaling must be rare.
const RUN = 32u;

// Logits of one run: a stretch for each invocation, which shares nothing with the others.
var<workgroup> logits: array<f32, RUN * ROWS * LANES>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (parameters.firstWorkgroup + workgroup.x + workgroup.y * workgroups.x) * LANES + local;
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
  let firstRow = bounds.x + (tile % parameters.blockTiles) * ROWS;
  let endRow = bounds.y;
  if (firstRow >= endRow) {
    return;
  }
  let range = keyRange(bounds.zw, 0u);
  let firstKey = range.x;
  let blockEnd = bounds.w;

  var q: array<array<vec4f, FEATURES>, ROWS>;
  // Those of earlier stretches, relative to the largest logit before the present one.
  var earlierSums: array<array<vec4f, COLUMNS>, ROWS>;
  var earlierTotal: array<f32, ROWS>;
  var farTotal: array<f32, ROWS>;
  var earlierLargest: array<f32, ROWS>;
  var largest: array<f32, ROWS>;
  var visibleEnd: array<u32, ROWS>;
  var ownBlock: array<u32, ROWS>;
  var endKey = firstKey;
  for (var r = 0u; r < ROWS; r++) {
    // Rows past the end of the block repeat its last row; they are not stored.
    let row = min(firstRow + r, endRow - 1u);
    let place = queryRow(head, row) * FEATURES;
    for (var t = 0u; t < FEATURES; t++) {
      q[r][t] = query[place + t] * parameters.queryScale;
    }
    for (var c = 0u; c < COLUMNS; c++) {
      earlierSums[r][c] = vec4f(0.0);
    }
    earlierTotal[r] = 0.0;
    farTotal[r] = 0.0;
    largest[r] = EMPTY;
    if (IN_PARTS && parameters.resumes == 1u) {
      largest[r] = paused[pausedAt(queryRow(head, row), chunk)].x;
    }
    earlierLargest[r] = largest[r];
    visibleEnd[r] = range.y;
    if (CAUSAL) {
      visibleEnd[r] = min(range.y, causalEnd(row));
    }
    if (EXCLUDING) {
      ownBlock[r] = blockOf(row, parameters.queries, parameters.excludeBlocks);
    }
    endKey = max(endKey, visibleEnd[r]);
  }

  for (var stretchStart = firstKey; stretchStart < endKey; stretchStart += STRETCH) {
    let stretchEnd = min(stretchStart + STRETCH, endKey);
    var sums: array<array<vec4f, COLUMNS>, ROWS>;
    var total: array<f32, ROWS>;
    for (var r = 0u; r < ROWS; r++) {
      total[r] = 0.0;
      for (var c = 0u; c < COLUMNS; c++) {
        sums[r][c] = vec4f(0.0);
      }
    }
    for (var runStart = stretchStart; runStart < stretchEnd; runStart += RUN) {
      let runEnd = min(runStart + RUN, stretchEnd);
      var newLargest = largest;
      for (var j = runStart; j < runEnd; j++) {
        let row = keyRow(head, j, blockEnd);
        var products: array<f32, ROWS>;
        for (var r = 0u; r < ROWS; r++) {
          products[r] = 0.0;
        }
        var chain = products;
        for (var t = 0u; t < FEATURES; t++) {
          let k = widen(key[row * FEATURES + t]);
          for (var r = 0u; r < ROWS; r++) {
            var own = q[r][t];
            var other = k;
            if (DISTANCES) {
              own -= k;
              other = own;
            }
            chain[r] = fma(own.w, other.w, fma(own.z, other.z, fma(own.y, other.y, fma(own.x, other.x, chain[r]))));
          }
          if (t % CHAIN == CHAIN - 1u || t == FEATURES - 1u) {
            for (var r = 0u; r < ROWS; r++) {
              products[r] += chain[r];
              chain[r] = 0.0;
            }
          }
        }
        let added = addedWeight(head, j, blockEnd, block);
        var keyBlock = 0u;
        if (EXCLUDING) {
          keyBlock = keyBlockOf(head, j);
        }
        for (var r = 0u; r < ROWS; r++) {
          let logit = products[r] * parameters.scale + added;
          var hidden = logit <= MASKED;
          if (CAUSAL) {
            hidden = hidden || j >= visibleEnd[r];
          }
          if (EXCLUDING) {
            hidden = hidden || keyBlock == ownBlock[r];
          }
          let seen = select(logit, EMPTY, hidden);
          logits[((j - runStart) * ROWS + r) * LANES + local] = seen;
          newLargest[r] = max(newLargest[r], seen);
        }
      }
      // Summed run by run, so that the rounding of the total does not grow with the number of keys.
      var runTotal: array<f32, ROWS>;
      for (var r = 0u; r < ROWS; r++) {
        let shrink = weigh(largest[r], newLargest[r]);
        largest[r] = newLargest[r];
        total[r] *= shrink;
        runTotal[r] = 0.0;
        for (var c = 0u; c < COLUMNS; c++) {
          sums[r][c] *= shrink;
        }
      }
      for (var j = runStart; j < runEnd; j++) {
        let valueRow = keyRow(head, j, blockEnd) * parameters.valueColumns;
        var weights: array<f32, ROWS>;
        for (var r = 0u; r < ROWS; r++) {
          weights[r] = weigh(logits[((j - runStart) * ROWS + r) * LANES + local], largest[r]);
          runTotal[r] += weights[r];
        }
        for (var c = 0u; c < COLUMNS; c++) {
          let v = widen(value[valueRow + min(firstColumn + c, parameters.valueColumns - 1u)]);
          for (var r = 0u; r < ROWS; r++) {
            sums[r][c] = fma(vec4f(weights[r]), v, sums[r][c]);
          }
        }
      }
      for (var r = 0u; r < ROWS; r++) {
        total[r] += runTotal[r];
      }
    }
    let isChainEnd = stretchEnd == endKey || (stretchEnd - firstKey) % (TOTALS * STRETCH) == 0u;
    for (var r = 0u; r < ROWS; r++) {
      let shrink = weigh(earlierLargest[r], largest[r]);
      earlierLargest[r] = largest[r];
      earlierTotal[r] = fma(earlierTotal[r], shrink, total[r]);
      farTotal[r] *= shrink;
      if (isChainEnd) {
        farTotal[r] += earlierTotal[r];
        earlierTotal[r] = 0.0;
      }
      for (var c = 0u; c < COLUMNS; c++) {
        earlierSums[r][c] = fma(earlierSums[r][c], vec4f(shrink), sums[r][c]);
      }
    }
  }

  for (var r = 0u; r < ROWS; r++) {
    if (firstRow + r < endRow) {
      let row = queryRow(head, firstRow + r);
      let place = row * parameters.valueColumns + firstColumn;
      let resting = pausedAt(row, chunk);
      let resumes = IN_PARTS && parameters.resumes == 1u;
      let pauses = IN_PARTS && parameters.pauses == 1u;
      var shrink = 0.0;
      if (resumes) {
        shrink = weigh(paused[resting].x, largest[r]);
        farTotal[r] = fma(paused[resting].y, shrink, farTotal[r]);
      }
      let inverse = select(0.0, parameters.unit / farTotal[r], farTotal[r] > 0.0);
      for (var c = 0u; c < COLUMNS; c++) {
        if (firstColumn + c < parameters.valueColumns) {
          // Paused sums wait in the output.
          var sum = earlierSums[r][c];
          if (resumes) {
            sum = fma(output[place + c], vec4f(shrink), sum);
          }
          output[place + c] = sum * select(inverse, 1.0, pauses);
        }
      }
      if (pauses) {
        paused[resting] = vec4f(largest[r], farTotal[r], 0.0, 0.0);
      } else if (firstColumn == 0u) {
        logSumExp[row] = select(EMPTY, largest[r] + logarithm(farTotal[r]), farTotal[r] > 0.0);
      }
    }
  }
}
