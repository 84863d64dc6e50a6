import type { AttendArguments, PartialAttention } from "../backend.ts";
import { floatBits } from "./array.ts";
import { attendIndex } from "./attend_index.ts";
import common from "./attend_common.wgsl" with { type: "text" };
import registers from "./attend_registers.wgsl" with { type: "text" };
import tiles from "./attend_tiles.wgsl" with { type: "text" };
import elementary from "./elementary.wgsl" with { type: "text" };
import type { Access, Kernel } from "./pipelines.ts";
import type { Recorder } from "./recorder.ts";
import { padRows, trimRows } from "./rows.ts";

/** The two ways to compute attention: tiled for CPUs that emulate a GPU, and for real GPUs. */
export type AttendKernel = "registers" | "tiles";

const access: readonly Access[] = ["read", "read", "read", "read", "read", "write", "write"];
const kernels: Readonly<Record<AttendKernel, Kernel>> = {
  registers: { file: "attend_registers.wgsl", source: [elementary, common, registers], access },
  tiles: { file: "attend_tiles.wgsl", source: [elementary, common, tiles], access },
};

/** Most vec4 columns of the values that one invocation accumulates: 64 values. */
const MOST_COLUMNS = 16;
/** Invocations of a workgroup, as in the kernels. */
const LANES: Readonly<Record<AttendKernel, number>> = { registers: 16, tiles: 64 };

/** Softmax attention of each query over its visible keys. */
export function attend(
  recorder: Recorder,
  which: AttendKernel,
  args: AttendArguments,
): PartialAttention {
  const { heads, queries, keys, features, valueFeatures, logWeights, causal, exclude, samples } = args;
  const { blocks = 1 } = args;
  const logSumExp = recorder.array("float", heads * queries, "the log-sum-exp");
  const featureColumns = Math.ceil(features / 4), valueColumns = Math.ceil(valueFeatures / 4);
  const output = recorder.array("float", heads * queries * valueColumns * 4, "the attention output");
  const chunks = Math.ceil(valueColumns / MOST_COLUMNS), columns = Math.ceil(valueColumns / chunks);
  const sizes: Record<string, number> = which === "registers"
    ? { ROWS: rowsInRegisters(featureColumns) }
    : { TILE: keysInTile(recorder, featureColumns + columns) };
  const tileRows = sizes.ROWS ?? LANES.tiles;
  const blockTiles = Math.ceil(Math.ceil(queries / blocks) / tileRows);
  const tiles = heads * blocks * blockTiles;
  const { array: index, keyOrderAt, keyBlocksAt, samplesAt } = attendIndex(recorder, args);
  const rules = {
    WEIGHTED: logWeights,
    CAUSAL: causal,
    EXCLUDING: exclude,
    QUERY_ORDERED: args.queryOrder,
    KEY_ORDERED: args.keyOrder,
    SAMPLED: samples,
  };
  recorder.dispatch({
    kernel: kernels[which],
    definitions: { ...sizes, FEATURES: featureColumns, COLUMNS: columns },
    constants: Object.fromEntries(Object.entries(rules).map(([rule, given]) => [rule, given ? 1 : 0])),
    parameters: [
      queries,
      keys,
      valueColumns,
      blocks,
      blockTiles,
      tiles,
      chunks,
      causal?.period ?? 1,
      causal?.offset ?? 0,
      exclude?.blocks ?? 1,
      samples?.count ?? 0,
      keyOrderAt,
      keyBlocksAt,
      samplesAt,
      floatBits(args.scale),
    ],
    arrays: [
      padRows(recorder, args.query, heads * queries, features),
      padRows(recorder, args.key, heads * keys, features),
      padRows(recorder, args.value, heads * keys, valueFeatures),
      logWeights,
      index,
      output,
      logSumExp,
    ],
    workgroups: which === "registers" ? Math.ceil(tiles * chunks / LANES.registers) : tiles * chunks,
  });
  return { output: trimRows(recorder, output, heads * queries, valueFeatures), logSumExp };
}

/** Query rows of one invocation: eight of 64 features are the most that compile in a few seconds. */
function rowsInRegisters(featureColumns: number): number {
  return [8, 4, 2].find((rows) => rows * featureColumns <= 128) ?? 1;
}

/** Keys of one tile: as many as fit in workgroup memory, up to 32, in fours. */
function keysInTile(recorder: Recorder, columns: number): number {
  const bytes = recorder.device.limits.maxComputeWorkgroupStorageSize;
  // A key takes its columns, its log-weight and its block.
  const keys = Math.floor(bytes / (16 * columns + 8));
  return Math.max(4, Math.min(32, keys - keys % 4));
}
