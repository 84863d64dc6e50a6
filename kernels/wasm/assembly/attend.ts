// deno-fmt-ignore-file: AssemblyScript
import { PANEL, TILE_KEYS } from "../layout";
import { logarithm } from "./logarithm";
import { accumulateFour, accumulateSix, scoreFour, scoreSix } from "./micro_kernel";
import { packKeys, packValues } from "./pack";
import { blockOf, blockStart } from "./partition";
import * as group from "./query_group";
import { upToEight } from "./simd";
import { addBias, EMPTY, fillBias, hideFrom, largestOfRow, MASKED, softmaxRow } from "./tile_softmax";

/** After the bias of one tile stands the query block that it was made for. */
const BIAS_OWNER: usize = TILE_KEYS << 2, BIAS_BYTES: usize = BIAS_OWNER + 64;
/** No query block. */
const NOBODY: u32 = 0xffffffff;

@unmanaged
class AttendArguments {
  query: usize;
  key: usize;
  value: usize;
  /** Which rows of these three are meant; 0 for all in order. */
  queryIndex: usize;
  keyIndex: usize;
  valueIndex: usize;
  /** Rows of one head in these three. */
  queryRows: u32;
  keyRows: u32;
  valueRows: u32;
  output: usize;
  logSumExp: usize;
  /** 0 where there are none. */
  logWeights: usize;
  /** 0 where nothing is excluded. */
  keyBlocks: usize;
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
}

/**
 * Softmax attention of up to `rowsPerTask` queries of one block: tiles of keys pass by groups of 6 query rows,
 * which carry a running maximum, total and output (Milakov and Gimelshein 2018; Dao et al. 2022). Tile and
 * group sizes depend on the shape alone, so that every number of threads gives the same bits.
 */
export function attendTask(operation: usize, task: u32, scratch: usize): void {
  const args = changetype<AttendArguments>(operation);
  const slot = task / args.tasksPerBlock, head = slot / args.blocks, block = slot % args.blocks;
  const blockEnd = blockStart(block + 1, args.queries, args.blocks);
  const first = blockStart(block, args.queries, args.blocks) + (task % args.tasksPerBlock) * args.rowsPerTask;
  const end = min<u32>(blockEnd, first + args.rowsPerTask);
  if (first >= end) return;
  const keyStart = blockStart(block, args.keys, args.blocks);
  const count = blockStart(block + 1, args.keys, args.blocks) - keyStart;
  const features = args.features, width = args.valueFeatures, firstKey = <usize>head * args.keys + keyStart;

  const tile = scratch, biased = args.logWeights || args.keyBlocks;
  const bias = tile + (6 * TILE_KEYS << 2), groups = bias + BIAS_BYTES;
  let padded = args.padded, packedKey = args.packedKey, packedValue = args.packedValue;
  if (packedKey) {
    packedKey += (<usize>slot * padded * features) << 2;
    packedValue += (<usize>slot * padded * upToEight(width)) << 2;
  } else {
    packedKey = groups + (args.rowsPerTask / 6 + 2) * group.groupBytes(features, width);
    packedValue = packedKey + ((<usize>padded * features) << 2);
    const key = args.key + ((<usize>head * args.keyRows * features) << 2);
    const keyIndex = args.keyIndex ? args.keyIndex + ((<usize>head * args.keys) << 2) : 0;
    packKeys(packedKey, key, keyIndex, keyStart, keyStart + count, features);
    const value = args.value + ((<usize>head * args.valueRows * width) << 2);
    const valueIndex = args.valueIndex ? args.valueIndex + ((<usize>head * args.keys) << 2) : 0;
    packValues(packedValue, value, valueIndex, keyStart, keyStart + count, width, (<usize>padded * PANEL) << 2);
  }

  startGroups(args, groups, head, first, end, keyStart, count);
  for (let tileStart: u32 = 0; tileStart < count; tileStart += TILE_KEYS) {
    const keyPanel = packedKey + ((<usize>tileStart * features) << 2);
    const valuePanel = packedValue + (<usize>tileStart * PANEL << 2);
    const here = min<u32>(TILE_KEYS, count - tileStart);
    store<u32>(bias, NOBODY, BIAS_OWNER);
    let at = groups;
    for (let row = first; row < end; row += group.groupRows(end - row)) {
      const key = (firstKey + tileStart) << 2;
      attendTile(args, at, tile, end - row, biased ? bias : 0, key, tileStart, here, keyPanel, valuePanel);
      at += group.groupBytes(features, width);
    }
  }
  finishGroups(args, groups, head, first, end);
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
  const query = args.query + ((<usize>head * args.queryRows * features) << 2);
  const queryIndex = args.queryIndex ? args.queryIndex + ((<usize>head * args.queries) << 2) : 0;
  let at = groups;
  for (let row = first; row < end; row += group.groupRows(end - row)) {
    const size = group.groupRows(end - row), valid = min<u32>(size, end - row);
    group.packQueries(at + group.QUERIES, query, queryIndex, row, valid, size, features);
    memory.fill(group.sumsOf(at, features), 0, <usize>upToEight(width) * 24);
    let farthest: u32 = 0;
    for (let r: u32 = 0; r < 6; ++r) {
      let limit = r < valid ? count : 0;
      if (args.period && r < valid) {
        const visible = <i64>((row + r) % args.period) + <i64>args.offset + 1 - <i64>keyStart;
        limit = <u32>max<i64>(0, min<i64>(visible, <i64>count));
      }
      farthest = max<u32>(farthest, limit);
      const line = at + (<usize>r << 2);
      store<u32>(line, limit, group.LIMITS);
      store<f32>(line, MASKED, group.LARGEST);
      store<f32>(line, 0, group.TOTALS);
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
  keyPanel: usize,
  valuePanel: usize,
): void {
  const farthest = load<u32>(at, group.FARTHEST);
  if (tileStart >= farthest) return;
  const padded = upToEight(min<u32>(count, farthest - tileStart));
  const features = args.features, size = group.groupRows(left);
  const six = size === 6, queries = at + group.QUERIES;
  if (six) scoreSix(tile, queries, keyPanel, padded / PANEL, features, args.scale);
  else scoreFour(tile, queries, keyPanel, padded / PANEL, features, args.scale);

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
    softmaxRow(row, padded, here, line + group.LARGEST, line + group.TOTALS, line + group.DECAYS);
  }

  let sums = group.sumsOf(at, features);
  const decay = at + group.DECAYS, panelBytes = (<usize>args.padded * PANEL) << 2;
  for (let column: u32 = 0; column < args.valueFeatures; column += PANEL) {
    if (six) accumulateSix(sums, decay, tile, valuePanel, padded);
    else accumulateFour(sums, decay, tile, valuePanel, padded);
    sums += 6 * PANEL << 2;
    valuePanel += panelBytes;
  }
}

function finishGroups(args: AttendArguments, groups: usize, head: u32, first: u32, end: u32): void {
  const features = args.features, width = args.valueFeatures;
  let at = groups;
  for (let row = first; row < end; row += group.groupRows(end - row)) {
    const sums = group.sumsOf(at, features);
    const valid = min<u32>(group.groupRows(end - row), end - row);
    for (let r: u32 = 0; r < valid; ++r) {
      const index = <usize>head * args.queries + row + r, line = at + (<usize>r << 2);
      const total = load<f32>(line, group.TOTALS);
      group.writeRow(args.output + ((index * width) << 2), sums, r, width, total);
      const logSumExp = <f64>load<f32>(line, group.LARGEST) + logarithm(<f64>total);
      store<f32>(args.logSumExp + (index << 2), total > 0 ? <f32>logSumExp : EMPTY);
    }
    at += group.groupBytes(features, width);
  }
}
