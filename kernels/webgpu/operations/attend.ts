import type { AttendArguments, DeviceArray, PartialAttention } from "../../backend.ts";
import { type AttendIndex, attendIndex } from "./attend_index.ts";
import type { AttendKernel, AttendTile } from "../tuning.ts";
import { type AttendWidths, attendWidths, chunksOf, cutTile, fitTile, rowsOf } from "./attend_tile.ts";
import { cutShares, shareKeys } from "./share_tile.ts";
import { halveRows } from "./halve_rows.ts";
import { joinSplits } from "./join_splits.ts";
import type { Kernel, TwinSource } from "../engine/kernel.ts";
import type { Recorder } from "../engine/recorder.ts";
import { hardwareThreads } from "../../runtime.ts";
import { padRows, trimRows } from "./pad_rows.ts";
import { shaders } from "../shaders.generated.ts";

const kernels: Readonly<Record<AttendKernel, readonly [floats: Kernel, halves: Kernel]>> = {
  registers: twins("attend_registers.wgsl"),
  tiles: twins("attend_tiles.wgsl"),
  // Only devices with subgroups take it.
  subgroups: twins("attend_subgroups.wgsl", { plain: "", subgroups: shaders["attend_subgroups.wgsl"] }),
};

/** A kernel that reads keys and values in floats, and the same in halves. */
function twins(name: keyof typeof shaders, own: string | TwinSource = shaders[name]): [Kernel, Kernel] {
  const kernel = (file: string, stored: string): Kernel => ({
    file,
    source: [shaders["elementary.wgsl"], stored, shaders["attend_common.wgsl"], own],
  });
  return [
    kernel(name, shaders["stored_floats.wgsl"]),
    kernel(`${name}, halves`, shaders["stored_halves.wgsl"]),
  ];
}

/**
 * Keys that one dispatch takes: Mesa's CPU driver (22.3) ends the loops of an invocation, without a word, after 65,535
 * turns in all, and GPUs end dispatches that take too long.
 */
const MOST_KEYS = 2 ** 14;
/** Workgroups that keep a large GPU busy; cores that stand in for one are kept busy by as many as there are. */
const BUSY_WORKGROUPS = 512;
/** Fewest keys of a split: what it saves in stretches one after another is more than joining takes, in time and in roundings. */
const SPLIT_KEYS = 256;
/** On a GPU most of which idles, fewer, a tile of them: one after another takes longer there than joining. */
const IDLE_WORKGROUPS = 128, IDLE_SPLIT_KEYS = 32;
/**
 * Lengths of the chains of sums: vec4s of features, keys, and stretches of keys whose totals of weights are added. These have
 * one sign, so that their partial sums, and what is rounded of them, are larger than those of values.
 */
export const chains = { CHAIN: 8, STRETCH: 128, TOTALS: 16 };

/** How the keys of a block are cut. */
export interface KeyCut {
  /** Dispatches that follow on one another. */
  readonly parts: number;
  /** Workgroups that share the keys of a dispatch. */
  readonly splits: number;
  /** Most keys that a workgroup takes in a dispatch. */
  readonly mostKeys: number;
}

/** How keys are cut among dispatches, and among splits, which are of whole tiles of so many keys. */
export function cutKeys(keys: number, splits = 1, tileKeys = 1): KeyCut {
  const parts = Math.ceil(keys / splits / MOST_KEYS), mostKeys = Math.ceil(keys / splits / parts);
  if (splits === 1) return { parts, splits, mostKeys };
  // Whole tiles, where there is a next split, and no split without a key.
  const whole = tileKeys * Math.ceil(mostKeys / tileKeys);
  return { parts, splits: Math.ceil(keys / parts / whole), mostKeys: whole };
}

/** Softmax attention of each query over its visible keys: one dispatch, or several that follow on one another where keys are many. */
export function attend(
  recorder: Recorder,
  tile: AttendTile,
  args: AttendArguments,
): PartialAttention {
  const { heads, queries, valueFeatures } = args, rows = heads * queries;
  const index = attendIndex(recorder, args), arrays = padded(recorder, args), valueColumns = arrays.columns;
  const cut = cutRows(tile, args), { chunks, columns } = cut.widths;
  const mostSplits = splitsOf(recorder, cut, rows * valueColumns);
  const { parts, splits, mostKeys } = cutKeys(cut.keys, mostSplits, cut.tileKeys);
  const stride = parts > 1 ? 1 + columns : 1;
  const resting = parts > 1 || splits > 1 ? splits * rows * chunks * stride : 1;
  const result = {
    output: recorder.array("float", rows * valueColumns * 4, "the attention output"),
    logSumExp: recorder.array("float", rows, "the log-sum-exp"),
  };
  const paused = recorder.array("float", 4 * resting, "the attention sums so far");
  const sums = splits > 1
    ? recorder.array("float", splits * rows * valueColumns * 4, "the attention sums of splits")
    : result.output;
  for (let part = 0; part < parts; part++) {
    const follows = { resumes: part > 0 ? 1 : 0, pauses: part < parts - 1 ? 1 : 0 };
    const keys = { firstOfBlock: part * splits * mostKeys, splits, mostKeys, ...follows };
    attendPart(recorder, cut, args, arrays, index, keys, { ...result, output: sums, paused });
  }
  if (splits > 1) {
    const shape = { rows, splits, valueColumns, chunks, columns, stride, unit: arrays.units.value };
    joinSplits(recorder, shape, { sums, paused }, result);
  }
  return {
    output: trimRows(recorder, result.output, rows, valueFeatures),
    logSumExp: result.logSumExp,
  };
}

/** How the rows of an attention are cut among workgroups. */
interface RowCut {
  readonly tile: AttendTile;
  readonly widths: AttendWidths;
  /** Rows that share their keys: of an invocation, or of a workgroup. */
  readonly tileRows: number;
  /** Keys in workgroup memory at a time. */
  readonly tileKeys: number;
  readonly blockTiles: number;
  /** Tiles in all, of one chunk of columns. */
  readonly tiles: number;
  /** Most keys of a block. */
  readonly keys: number;
}

function cutRows(tile: AttendTile, args: AttendArguments): RowCut {
  const { heads, queries, keys, samples, bounds, blocks = 1 } = args;
  const all = attendWidths(args.features, args.valueFeatures), widths = { ...all, ...chunksOf(tile, all) };
  const blockQueries = bounds?.mostQueries ?? Math.ceil(queries / blocks);
  const fitted = fitTile(tile, blockQueries), tileRows = rowsOf(fitted);
  const blockTiles = Math.ceil(blockQueries / tileRows);
  return {
    tile: fitted,
    widths,
    tileRows,
    tileKeys: fitted.kernel === "subgroups" ? shareKeys(fitted, widths) : fitted.size,
    blockTiles,
    tiles: heads * blocks * blockTiles,
    keys: bounds?.mostKeys ?? Math.ceil(keys / blocks) + (samples?.count ?? 0),
  };
}

/** Into how many splits keys are cut, so that few tiles of queries keep a device busy. */
function splitsOf(recorder: Recorder, { tile, widths, tiles, keys }: RowCut, fours: number): number {
  if (tile.kernel === "registers") return 1;
  const busy = recorder.software ? hardwareThreads() : BUSY_WORKGROUPS;
  const room = Math.floor(recorder.largestArrayBytes / (16 * fours));
  const sharing = (workgroups: number) => Math.floor(workgroups / (tiles * widths.chunks));
  const idle = recorder.software ? 1 : Math.min(sharing(IDLE_WORKGROUPS), Math.ceil(keys / IDLE_SPLIT_KEYS));
  const splits = Math.min(sharing(busy), Math.floor(keys / SPLIT_KEYS));
  return Math.max(1, Math.min(room, Math.max(idle, splits)));
}

/** The rows of an attention in whole fours. */
interface PaddedArrays {
  readonly query: DeviceArray;
  readonly key: DeviceArray;
  readonly value: DeviceArray;
  /** Fours of a value row. */
  readonly columns: number;
  /** What keys and values are to be multiplied by, those in half floats. */
  readonly units: { readonly key: number; readonly value: number };
}

function padded(recorder: Recorder, args: AttendArguments): PaddedArrays {
  const { heads, queries, keys, features, valueFeatures, halves } = args, count = heads * keys;
  const query = padRows(recorder, args.query, heads * queries, features);
  const columns = Math.ceil(valueFeatures / 4);
  if (halves) {
    const key = halveRows(recorder, args.key, { count, width: features, largest: halves.largestKey });
    const largest = halves.largestValue;
    const value = halveRows(recorder, args.value, { count, width: valueFeatures, largest });
    return { query, key: key.rows, value: value.rows, columns, units: { key: key.unit, value: value.unit } };
  }
  const key = padRows(recorder, args.key, count, features);
  const value = padRows(recorder, args.value, count, valueFeatures);
  return { query, key, value, columns, units: { key: 1, value: 1 } };
}

/**
 * A power of two for the queries, so that inner products are as large as logits, and what is left, for these: it is rounded
 * once for each logit rather than for each feature.
 */
function twoScales(scale: number): { queryScale: number; scale: number } {
  const power = Math.max(-126, Math.min(127, Math.floor(Math.log2(Math.abs(scale)))));
  const queryScale = scale === 0 ? 1 : 2 ** power;
  return { queryScale, scale: scale / queryScale };
}

function definitionsOf(tile: AttendTile, widths: AttendWidths): Readonly<Record<string, number>> {
  if (tile.kernel === "registers") return { LANES: tile.lanes, ROWS: tile.size };
  return (tile.kernel === "tiles" ? cutTile : cutShares)(tile, widths);
}

/** Attention to a part of the keys of each block, in whole vec4s. */
function attendPart(
  recorder: Recorder,
  { tile, widths, tileRows, blockTiles, tiles }: RowCut,
  args: AttendArguments,
  { query, key, value, columns: valueColumns, units }: PaddedArrays,
  { array: index, keyOrderAt, keyBlocksAt, boundsAt, samplesAt }: AttendIndex,
  part: { firstOfBlock: number; splits: number; mostKeys: number; resumes: number; pauses: number },
  result: PartialAttention & { readonly paused: DeviceArray },
): void {
  const { heads, queries, keys, logWeights, causal, exclude, samples, bounds, blocks = 1 } = args;
  const { features: featureColumns, columns, chunks } = widths, inRegisters = tile.kernel === "registers";
  const workgroups = tiles * chunks * part.splits;
  const rules = {
    WEIGHTED: logWeights,
    CAUSAL: causal,
    EXCLUDING: exclude,
    QUERY_ORDERED: args.queryOrder,
    KEY_ORDERED: args.keyOrder,
    SAMPLED: samples,
    BOUNDED: bounds,
    DISTANCES: args.distances,
    IN_PARTS: part.resumes || part.pauses,
  };
  recorder.dispatch({
    kernel: kernels[tile.kernel][args.halves ? 1 : 0],
    definitions: {
      ...definitionsOf(tile, widths),
      FEATURES: featureColumns,
      COLUMNS: columns,
      ...chains,
    },
    constants: Object.fromEntries(Object.entries(rules).map(([rule, given]) => [rule, given ? 1 : 0])),
    parameters: {
      queries,
      keys,
      valueColumns,
      blocks,
      blockTiles,
      tiles,
      chunks,
      period: causal?.period ?? 1,
      offset: causal?.offset ?? 0,
      excludeBlocks: exclude?.blocks ?? 1,
      samples: samples?.count ?? 0,
      keyOrderAt,
      keyBlocksAt,
      boundsAt,
      samplesAt,
      ...part,
      rows: heads * queries,
      ...(args.distances ? { queryScale: 1, scale: -args.scale / 2 } : twoScales(args.scale * units.key)),
      unit: units.value,
      firstWorkgroup: 0,
    },
    work: workgroups * tileRows * part.mostKeys * 4 * (featureColumns + columns),
    bindings: { query, key, value, logWeights, index, ...result },
    workgroups: inRegisters ? Math.ceil(workgroups / tile.lanes) : workgroups,
  });
}
