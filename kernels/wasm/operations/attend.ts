import type { AttendArguments, DeviceArray, PartialAttention } from "../../backend.ts";
import { packArguments } from "../engine/arguments.ts";
import * as codes from "../engine/codes.generated.ts";
import * as layout from "../engine/layout.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";

/** Query rows of one task: enough that a tile of keys is used often while it is in the cache. */
const MOST_ROWS = 50;
/** Multiply-adds of one task: some milliseconds, the patience of an abort signal. */
const MOST_WORK = 2 ** 27;
/** Fewer tasks than this leave threads idle. */
const FEWEST_TASKS = 32;
/** Blocks up to this many queries are one task, which packs the keys for itself. */
const MOST_BLOCK_ROWS = 96;
/** A causal limit beyond any array. */
const NO_LIMIT = 2 ** 30;

/** Records attention: the packing of keys and values where several tasks use them, then the work. */
export function attend(workspace: Workspace, args: AttendArguments): PartialAttention {
  const { heads, queries, keys, features, valueFeatures, causal, exclude, samples, bounds, blocks = 1 } =
    args;
  const blockRows = bounds?.mostQueries ?? Math.ceil(queries / blocks);
  const padded = upTo(8, bounds?.mostKeys ?? Math.ceil(keys / blocks)), paddedWidth = upTo(8, valueFeatures);
  const output = workspace.floats(heads * queries * valueFeatures);
  const logSumExp = workspace.floats(heads * queries);

  const oneTask = bounds !== undefined || (blocks > 1 && blockRows <= MOST_BLOCK_ROWS);
  const work = (padded + (samples?.count ?? 0)) * (features + valueFeatures);
  const rowsPerTask = oneTask ? blockRows : rowsOfTask(heads * queries, work);
  const tasksPerBlock = Math.ceil(blockRows / rowsPerTask);
  const own = oneTask ? undefined : packKeys(workspace, args, args.keyOrder, keys, blocks);
  const sampled = samples && packKeys(workspace, args, samples.index, samples.count, 1);
  const arrays = [args.query, args.key, args.value, args.queryOrder, args.keyOrder];
  arrays.push(args.logWeights, exclude?.keyBlocks, bounds?.positions);
  const sampleArrays = [sampled?.key, sampled?.value, samples?.index, samples?.logWeights, samples?.position];
  workspace.record({
    code: codes.ATTEND,
    tasks: heads * blocks * tasksPerBlock,
    words: packArguments("AttendArguments", {
      query: args.query,
      key: args.key,
      value: args.value,
      queryOrder: args.queryOrder,
      keyOrder: args.keyOrder,
      logWeights: args.logWeights,
      keyBlocks: exclude?.keyBlocks,
      bounds: bounds?.positions,
      output,
      logSumExp,
      packedKey: own?.key,
      packedValue: own?.value,
      heads,
      queries,
      keys,
      features,
      valueFeatures,
      blocks,
      excludeBlocks: exclude?.blocks ?? 1,
      period: causal ? Math.min(causal.period, NO_LIMIT) : 0,
      offset: causal ? Math.max(-NO_LIMIT, Math.min(causal.offset, NO_LIMIT)) : 0,
      scale: args.distances ? -args.scale / 2 : args.scale,
      rowsPerTask,
      tasksPerBlock,
      padded,
      samples: samples?.count ?? 0,
      samplesPadded: sampled?.padded ?? 0,
      sampledKey: sampled?.key,
      sampledValue: sampled?.value,
      sampleIndex: samples?.index,
      sampleWeights: samples?.logWeights,
      keyPosition: samples?.position,
      distances: args.distances ? 1 : 0,
    }),
    inputs: [...arrays, own?.key, own?.value, ...sampleArrays] as (WasmArray | undefined)[],
    outputs: [output, logSumExp],
    scratchBytes: groupBytes(features, valueFeatures) * Math.ceil(rowsPerTask / layout.GROUP_ROWS) +
      4 * (layout.GROUP_ROWS + 4 + 1) * layout.TILE_KEYS + 64 +
      (oneTask ? 4 * padded * (features + paddedWidth) : 0),
  });
  return { output, logSumExp };
}

/** Records the packing of keys and values, all or those of an index, as the micro-kernel reads them. */
function packKeys(
  workspace: Workspace,
  { heads, keys, features, valueFeatures, key, value }: AttendArguments,
  index: DeviceArray | undefined,
  picks: number,
  blocks: number,
): { key: WasmArray; value: WasmArray; padded: number } {
  const padded = upTo(8, Math.ceil(picks / blocks)), slots = heads * blocks;
  const packedKey = workspace.floats(slots * padded * features);
  const packedValue = workspace.floats(slots * padded * upTo(8, valueFeatures));
  const arrays = [key, value, index];
  workspace.record({
    code: codes.PACK_KEYS,
    tasks: slots * Math.ceil(padded / layout.CHUNK_KEYS),
    words: packArguments("PackArguments", {
      key,
      value,
      index,
      packedKey,
      packedValue,
      heads,
      keys,
      picks,
      features,
      valueFeatures,
      blocks,
      padded,
    }),
    inputs: arrays as (WasmArray | undefined)[],
    outputs: [packedKey, packedValue],
  });
  return { key: packedKey, value: packedValue, padded };
}

function rowsOfTask(rows: number, workPerRow: number): number {
  const affordable = Math.floor(MOST_WORK / workPerRow), fair = Math.ceil(rows / FEWEST_TASKS);
  const group = layout.GROUP_ROWS;
  return Math.max(group, group * Math.floor(Math.min(MOST_ROWS, affordable, upTo(group, fair)) / group));
}

function upTo(multiple: number, count: number): number {
  return Math.ceil(count / multiple) * multiple;
}

/** Twin of groupBytes in `assembly/query_group.ts`. */
function groupBytes(features: number, valueFeatures: number): number {
  return 320 + 4 * layout.GROUP_ROWS * (upTo(8, features) + 3 * upTo(8, valueFeatures));
}
