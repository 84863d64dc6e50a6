import type { AttendArguments, DeviceArray, PartialAttention } from "../../backend.ts";
import { type AttendIndex, attendIndex } from "./attend_index.ts";
import type { AttendKernel, AttendTile } from "../tuning.ts";
import { attendWidths } from "./attend_tile.ts";
import { halveRows } from "./halve_rows.ts";
import type { Kernel } from "../engine/kernel.ts";
import type { Recorder } from "../engine/recorder.ts";
import { padRows, trimRows } from "./pad_rows.ts";
import { shaders } from "../shaders.generated.ts";

const kernels: Readonly<Record<AttendKernel, readonly [floats: Kernel, halves: Kernel]>> = {
  registers: twins("attend_registers"),
  tiles: twins("attend_tiles"),
};

/** A kernel that reads keys and values in floats, and the same in halves. */
function twins(name: "attend_registers" | "attend_tiles"): [Kernel, Kernel] {
  const kernel = (file: string, stored: string): Kernel => ({
    file,
    source: [shaders["elementary.wgsl"], stored, shaders["attend_common.wgsl"], shaders[`${name}.wgsl`]],
  });
  return [
    kernel(`${name}.wgsl`, shaders["stored_floats.wgsl"]),
    kernel(`${name}.wgsl, halves`, shaders["stored_halves.wgsl"]),
  ];
}

/**
 * Keys that one dispatch takes: Mesa's CPU driver (22.3) ends the loops of an invocation, without a word, after 65,535
 * turns in all, and GPUs end dispatches that take too long.
 */
const MOST_KEYS = 2 ** 14;

/**
 * Lengths of the chains of sums: vec4s of features, keys, and stretches of keys whose totals of weights are added. These have
 * one sign, so that their partial sums, and what is rounded of them, are larger than those of values.
 */
export const chains = { CHAIN: 8, STRETCH: 128, TOTALS: 16 };

/** Into how many dispatches the keys of a block are cut, and the most keys of one. */
export function keysOfPart(keys: number): { parts: number; mostKeys: number } {
  const parts = Math.ceil(keys / MOST_KEYS);
  return { parts, mostKeys: Math.ceil(keys / parts) };
}

/** Softmax attention of each query over its visible keys: one dispatch, or several that follow on one another where keys are many. */
export function attend(
  recorder: Recorder,
  tile: AttendTile,
  args: AttendArguments,
): PartialAttention {
  const { heads, queries, keys, valueFeatures, samples, bounds, blocks = 1 } = args;
  const index = attendIndex(recorder, args), arrays = padded(recorder, args);
  const most = bounds?.mostKeys ?? Math.ceil(keys / blocks) + (samples?.count ?? 0);
  const { parts, mostKeys } = keysOfPart(most);
  const { columns, chunks } = attendWidths(args.features, valueFeatures), rows = heads * queries;
  const resting = parts > 1 ? rows * chunks * (1 + columns) : 1;
  const result = {
    output: recorder.array("float", rows * arrays.columns * 4, "the attention output"),
    logSumExp: recorder.array("float", rows, "the log-sum-exp"),
    paused: recorder.array("float", 4 * resting, "the attention sums so far"),
  };
  for (let part = 0; part < parts; part++) {
    const follows = { resumes: part > 0 ? 1 : 0, pauses: part < parts - 1 ? 1 : 0 };
    attendPart(
      recorder,
      tile,
      args,
      arrays,
      index,
      { firstOfBlock: part * mostKeys, mostKeys, ...follows },
      result,
    );
  }
  return {
    output: trimRows(recorder, result.output, rows, valueFeatures),
    logSumExp: result.logSumExp,
  };
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

/** Attention to a part of the keys of each block, in whole vec4s. */
function attendPart(
  recorder: Recorder,
  tile: AttendTile,
  args: AttendArguments,
  { query, key, value, columns: valueColumns, units }: PaddedArrays,
  { array: index, keyOrderAt, keyBlocksAt, boundsAt, samplesAt }: AttendIndex,
  part: { firstOfBlock: number; mostKeys: number; resumes: number; pauses: number },
  result: PartialAttention & { readonly paused: DeviceArray },
): void {
  const { heads, queries, keys, features, logWeights, causal, exclude, samples, bounds, blocks = 1 } = args;
  const { features: featureColumns, columns, chunks } = attendWidths(features, args.valueFeatures);
  const inRegisters = tile.kernel === "registers";
  const tileRows = inRegisters ? tile.size : tile.lanes;
  const blockTiles = Math.ceil((bounds?.mostQueries ?? Math.ceil(queries / blocks)) / tileRows);
  const tiles = heads * blocks * blockTiles;
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
      LANES: tile.lanes,
      [inRegisters ? "ROWS" : "TILE"]: tile.size,
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
      scale: args.distances ? -args.scale / 2 : args.scale * units.key,
      unit: units.value,
      firstWorkgroup: 0,
    },
    work: tiles * chunks * tileRows * part.mostKeys * 4 * (featureColumns + columns),
    bindings: { query, key, value, logWeights, index, ...result },
    workgroups: inRegisters ? Math.ceil(tiles * chunks / tile.lanes) : tiles * chunks,
  });
}
