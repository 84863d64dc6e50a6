// deno-fmt-ignore-file: AssemblyScript
import { GROUP_ROWS, PANEL, STRETCH_TILES, TILE_KEYS } from "../engine/layout";
import { logarithm } from "./logarithm";
import { accumulateRows, distancesOfRows, scoreRows } from "./micro_kernel";
import { packKeys, packValues } from "./pack";
import { blockOf, blockStart } from "./partition";
import * as group from "./query_group";
import { upToEight } from "./simd";
import { addBias, EMPTY, fillBias, hideFrom, largestOfRow, MASKED, softmaxRow, transposeFour } from "./tile_softmax";

/** After the bias of one tile stands the query block that it was made for. */
const BIAS_OWNER: usize = TILE_KEYS << 2, BIAS_BYTES: usize = BIAS_OWNER + 64;
/** No query block. */
const NOBODY: u32 = 0xffffffff;

@unmanaged
class AttendArguments {
  query: usize;
  key: usize;
  value: usize;
  /** Permutations; 0 where the order is that of the rows. */
  queryOrder: usize;
  keyOrder: usize;
  /** These are 0 where they are not given. */
  logWeights: usize;
  keyBlocks: usize;
  /** [heads, blocks, 4] words: queries and keys of each block; 0 where blocks are equal cuts. */
  bounds: usize;
  output: usize;
  logSumExp: usize;
  /** As PACK_KEYS leaves them; 0 where the task packs its own block. */
  packedKey: usize;
  packedValue: usize;
  heads: u32;
  queries: u32;
  keys: u32;
  features: u32;
  valueFeatures: u32;
  blocks: u32;
  excludeBlocks: u32;
  /** 0 where attention is not causal. */
  period: u32;
  offset: i32;
  scale: f32;
  rowsPerTask: u32;
  tasksPerBlock: u32;
  /** Keys of the longest block, rounded up to 8. */
  padded: u32;
  /** Sampled keys of one head, as PACK_KEYS leaves them; 0 where there are none. */
  samples: u32;
  samplesPadded: u32;
  sampledKey: usize;
  sampledValue: usize;
  sampleIndex: usize;
  sampleWeights: usize;
  keyPosition: usize;
  /** 1 where logits are scale · ‖query − key‖² in place of scale · <query, key>. */
  distances: u32;
}

/**
 * Softmax attention of up to `rowsPerTask` queries of one block: tiles of keys pass by groups of 5 query rows,
 * which carry a running maximum, total and output (Milakov and Gimelshein 2018; Dao et al. 2022). Tile and
 * group sizes depend on the shape alone, so that every number of threads gives the same bits.
 */
export function attendTask(operation: usize, task: u32, scratch: usize): void {
  const args = changetype<AttendArguments>(operation);
  const slot = task / args.tasksPerBlock, head = slot / args.blocks, block = slot % args.blocks;
  const bounds = args.bounds ? args.bounds + (<usize>slot << 4) : 0;
  const blockFirst = bounds ? load<u32>(bounds) : blockStart(block, args.queries, args.blocks);
  const blockEnd = bounds ? load<u32>(bounds, 4) : blockStart(block + 1, args.queries, args.blocks);
  const first = blockFirst + (task % args.tasksPerBlock) * args.rowsPerTask;
  const end = min<u32>(blockEnd, first + args.rowsPerTask);
  if (first >= end) return;
  const keyStart = bounds ? load<u32>(bounds, 8) : blockStart(block, args.keys, args.blocks);
  const count = (bounds ? load<u32>(bounds, 12) : blockStart(block + 1, args.keys, args.blocks)) - keyStart;
  const features = args.features, width = args.valueFeatures, padded = args.padded;

  const tile = scratch, bias = tile + ((GROUP_ROWS + 4) * TILE_KEYS << 2), groups = bias + BIAS_BYTES;
  let packedKey = args.packedKey, packedValue = args.packedValue;
  if (packedKey) {
    packedKey += (<usize>slot * padded * features) << 2;
    packedValue += (<usize>slot * padded * upToEight(width)) << 2;
  } else {
    packedKey = groups + ((args.rowsPerTask + GROUP_ROWS - 1) / GROUP_ROWS) * group.groupBytes(features, width);
    packedValue = packedKey + ((<usize>padded * features) << 2);
    const index = args.keyOrder ? args.keyOrder + ((<usize>head * args.keys) << 2) : 0;
    const key = args.key + ((<usize>head * args.keys * features) << 2);
    packKeys(packedKey, key, index, keyStart, keyStart + count, features);
    const value = args.value + ((<usize>head * args.keys * width) << 2), panelBytes = (<usize>padded * PANEL) << 2;
    packValues(packedValue, value, index, keyStart, keyStart + count, width, panelBytes);
  }

  startGroups(args, groups, head, first, end, keyStart, count);
  const biased = args.logWeights || args.keyBlocks, firstKey = <usize>head * args.keys + keyStart;
  for (let tileStart: u32 = 0; tileStart < count; tileStart += TILE_KEYS) {
    const keyPanel = packedKey + ((<usize>tileStart * features) << 2);
    const valuePanel = packedValue + (<usize>tileStart * PANEL << 2);
    const here = min<u32>(TILE_KEYS, count - tileStart), key = (firstKey + tileStart) << 2;
    store<u32>(bias, NOBODY, BIAS_OWNER);
    let at = groups;
    for (let row = first; row < end; row += group.groupRows(end - row)) {
      attendTile(args, at, tile, end - row, biased ? bias : 0, key, tileStart, here, padded, keyPanel, valuePanel);
      at += group.groupBytes(features, width);
    }
  }
  if (args.samples) attendSamples(args, groups, tile, bias, head, block, first, end);
  finishGroups(args, groups, head, first, end);
}

/** Goes on with the sampled keys of the head; those of the rows' own block have been seen. */
function attendSamples(
  args: AttendArguments,
  groups: usize,
  tile: usize,
  bias: usize,
  head: u32,
  block: u32,
  first: u32,
  end: u32,
): void {
  const features = args.features, width = args.valueFeatures, padded = args.samplesPadded, samples = args.samples;
  const packedKey = args.sampledKey + ((<usize>head * padded * features) << 2);
  const packedValue = args.sampledValue + ((<usize>head * padded * upToEight(width)) << 2);
  const index = args.sampleIndex + ((<usize>head * samples) << 2);
  const weights = args.sampleWeights + ((<usize>head * samples) << 2);
  const position = args.keyPosition + ((<usize>head * args.keys) << 2);
  const blockFirst = blockStart(block, args.keys, args.blocks);
  const blockKeys = blockStart(block + 1, args.keys, args.blocks) - blockFirst;
  let at = groups;
  for (let row = first; row < end; row += group.groupRows(end - row)) {
    group.showKeys(at, min<u32>(group.groupRows(end - row), end - row), samples);
    at += group.groupBytes(features, width);
  }
  for (let tileStart: u32 = 0; tileStart < samples; tileStart += TILE_KEYS) {
    const here = min<u32>(TILE_KEYS, samples - tileStart), tileBytes = <usize>tileStart << 2;
    fillBias(bias, weights + tileBytes, 0, 0, here, upToEight(here));
    for (let key: u32 = 0; key < here; ++key) {
      const place = load<u32>(position + (<usize>load<u32>(index + tileBytes + (key << 2)) << 2));
      if (place - blockFirst < blockKeys) store<f32>(bias + (key << 2), -Infinity);
    }
    store<u32>(bias, 0, BIAS_OWNER);
    const keyPanel = packedKey + tileBytes * features, valuePanel = packedValue + tileBytes * PANEL;
    at = groups;
    for (let row = first; row < end; row += group.groupRows(end - row)) {
      attendTile(args, at, tile, end - row, bias, 0, tileStart, here, padded, keyPanel, valuePanel);
      at += group.groupBytes(features, width);
    }
  }
}

function startGroups(
  args: AttendArguments,
  groups: usize,
  head: u32,
  first: u32,
  end: u32,
  keyStart: u32,
  count: u32,
): void {
  const features = args.features, width = args.valueFeatures;
  const query = args.query + ((<usize>head * args.queries * features) << 2);
  const order = args.queryOrder ? args.queryOrder + ((<usize>head * args.queries) << 2) : 0;
  let at = groups;
  for (let row = first; row < end; row += group.groupRows(end - row)) {
    const size = group.groupRows(end - row), valid = min<u32>(size, end - row);
    group.packQueries(at + group.QUERIES, query, order, row, valid, size, features);
    group.clearSums(at, features, width);
    let farthest: u32 = 0;
    for (let r: u32 = 0; r < <u32>GROUP_ROWS; ++r) {
      let limit = r < valid ? count : 0;
      if (args.period && r < valid) {
        const visible = <i64>((row + r) % args.period) + <i64>args.offset + 1 - <i64>keyStart;
        limit = <u32>max<i64>(0, min<i64>(visible, <i64>count));
      }
      farthest = max<u32>(farthest, limit);
      const line = at + (<usize>r << 2);
      store<u32>(line, limit, group.LIMITS);
      store<f32>(line, MASKED, group.LARGEST);
      store<f32>(line, MASKED, group.EARLIER_LARGEST);
      store<f32>(line, 0, group.DECAYS);
      const own = args.keyBlocks && r < valid ? blockOf(row + r, args.queries, args.excludeBlocks) : 0;
      store<u32>(line, own, group.OWN_BLOCKS);
    }
    store<u32>(at, farthest, group.FARTHEST);
    at += group.groupBytes(features, width);
  }
}

function attendTile(
  args: AttendArguments,
  at: usize,
  tile: usize,
  left: u32,
  bias: usize,
  key: usize,
  tileStart: u32,
  count: u32,
  panelKeys: u32,
  keyPanel: usize,
  valuePanel: usize,
): void {
  const farthest = load<u32>(at, group.FARTHEST);
  if (tileStart >= farthest) return;
  const padded = upToEight(min<u32>(count, farthest - tileStart));
  const features = args.features, size = group.groupRows(left);
  const queries = at + group.QUERIES;
  if (args.distances) distancesOfRows(size, tile, queries, keyPanel, padded / PANEL, features, args.scale);
  else scoreRows(size, tile, queries, keyPanel, padded / PANEL, features, args.scale);

  for (let r: u32 = 0; r < min<u32>(size, left); ++r) {
    const row = tile + <usize>r * (TILE_KEYS << 2), line = at + (<usize>r << 2);
    const limit = load<u32>(line, group.LIMITS) - tileStart, own = load<u32>(line, group.OWN_BLOCKS);
    if (bias && own !== load<u32>(bias, BIAS_OWNER)) {
      const weights = args.logWeights ? args.logWeights + key : 0;
      fillBias(bias, weights, args.keyBlocks ? args.keyBlocks + key : 0, own, count, upToEight(count));
      store<u32>(bias, own, BIAS_OWNER);
    }
    // The bias hides what lies beyond the last key; a causal limit is the row's own.
    if (<i32>limit < <i32>(bias ? min<u32>(count, padded) : padded)) hideFrom(row, max<i32>(limit, 0), padded);
    const here = bias ? addBias(row, bias, padded) : largestOfRow(row, padded);
    softmaxRow(row, padded, here, line + group.LARGEST, at + (<usize>r << 3) + group.TOTALS, line + group.DECAYS);
  }
  const last = tile + 4 * (TILE_KEYS << 2), weights = tile + GROUP_ROWS * (TILE_KEYS << 2);
  transposeFour(weights, tile, padded);

  let sums = group.sumsOf(at, features);
  const decay = at + group.DECAYS, panelBytes = (<usize>panelKeys * PANEL) << 2;
  for (let column: u32 = 0; column < args.valueFeatures; column += PANEL) {
    accumulateRows(size, sums, decay, weights, last, valuePanel, padded);
    sums += GROUP_ROWS * PANEL << 2;
    valuePanel += panelBytes;
  }
  if ((tileStart / TILE_KEYS + 1) % STRETCH_TILES === 0) group.endStretch(at, features, args.valueFeatures);
}

function finishGroups(args: AttendArguments, groups: usize, head: u32, first: u32, end: u32): void {
  const features = args.features, width = args.valueFeatures, base = <usize>head * args.queries;
  let at = groups;
  for (let row = first; row < end; row += group.groupRows(end - row)) {
    if (load<u32>(at, group.HAS_EARLIER)) group.endStretch(at, features, width);
    const valid = min<u32>(group.groupRows(end - row), end - row);
    for (let r: u32 = 0; r < valid; ++r) {
      const position = base + row + r, line = at + (<usize>r << 2);
      const index = args.queryOrder ? base + load<u32>(args.queryOrder + (position << 2)) : position;
      const total = group.totalOf(at, r);
      group.writeRow(at, features, args.output + ((index * width) << 2), r, width);
      const logSumExp = <f64>load<f32>(line, group.LARGEST) + logarithm(total);
      store<f32>(args.logSumExp + (index << 2), total > 0 ? <f32>logSumExp : EMPTY);
    }
    at += group.groupBytes(features, width);
  }
}
