import type { AttendArguments, DeviceArray, PartialAttention } from "../backend.ts";
import * as layout from "./layout.ts";
import { addressOf, floatWord, type Recorder, type WasmArray } from "./program.ts";

/** Query rows of one task: enough that a tile of keys is used often while it is in the cache. */
const MOST_ROWS = 48;
/** Multiply-adds of one task: some milliseconds, the patience of an abort signal. */
const MOST_WORK = 2 ** 27;
/** Fewer tasks than this leave threads idle. */
const FEWEST_TASKS = 32;
/** Blocks up to this many queries are one task, which packs the keys for itself. */
const MOST_BLOCK_ROWS = 96;
/** Causal limits beyond any array. */
const FAR = 2 ** 30;

/** Records attention: the packing of keys and values where several tasks use them, then the work. */
export function attend(recorder: Recorder, args: AttendArguments): PartialAttention {
  const { heads, queries, keys, features, valueFeatures, causal, exclude } = args;
  const query = source(recorder, args.query, queries), key = source(recorder, args.key, keys);
  const value = source(recorder, args.value, keys);
  const logWeights = args.logWeights as WasmArray | undefined;
  const keyBlocks = exclude?.keyBlocks as WasmArray | undefined;
  const blocks = args.blocks ?? 1;
  const blockRows = Math.ceil(queries / blocks);
  const padded = upTo(8, Math.ceil(keys / blocks)), paddedWidth = upTo(8, valueFeatures);
  const output = recorder.floats(heads * queries * valueFeatures);
  const logSumExp = recorder.floats(heads * queries);

  const oneTask = blocks > 1 && blockRows <= MOST_BLOCK_ROWS;
  const rowsPerTask = oneTask ? blockRows : rowsOfTask(heads * queries, padded * (features + valueFeatures));
  const tasksPerBlock = Math.ceil(blockRows / rowsPerTask);
  const slots = heads * blocks;
  const packedKey = oneTask ? undefined : recorder.floats(slots * padded * features);
  const packedValue = oneTask ? undefined : recorder.floats(slots * padded * paddedWidth);
  if (packedKey && packedValue) {
    recorder.record({
      code: layout.PACK_KEYS,
      tasks: slots * Math.ceil(padded / layout.CHUNK_KEYS),
      // deno-fmt-ignore
      words: [
        key.rows.address, value.rows.address, addressOf(key.index), addressOf(value.index), key.count, value.count,
        packedKey.address, packedValue.address, heads, keys, features, valueFeatures, blocks, padded,
      ],
      inputs: [key.rows, key.index, value.rows, value.index],
      outputs: [packedKey, packedValue],
    });
  }
  recorder.record({
    code: layout.ATTEND,
    tasks: slots * tasksPerBlock,
    // deno-fmt-ignore
    words: [
      query.rows.address, key.rows.address, value.rows.address,
      addressOf(query.index), addressOf(key.index), addressOf(value.index), query.count, key.count, value.count,
      output.address, logSumExp.address,
      addressOf(logWeights), addressOf(keyBlocks), addressOf(packedKey), addressOf(packedValue),
      heads, queries, keys, features, valueFeatures, blocks, exclude?.blocks ?? 1,
      causal ? Math.min(causal.period, FAR) : 0,
      causal ? Math.max(-FAR, Math.min(causal.offset, FAR)) : 0,
      floatWord(args.scale), rowsPerTask, tasksPerBlock, padded,
    ],
    inputs: [
      ...[query, key, value].flatMap(({ rows, index }) => [rows, index]),
      ...[logWeights, keyBlocks, packedKey, packedValue],
    ],
    outputs: [output, logSumExp],
    scratchBytes: groupBytes(features, valueFeatures) * (Math.floor(rowsPerTask / 6) + 2) +
      4 * (layout.GROUP_ROWS + 1) * layout.TILE_KEYS + 64 +
      (oneTask ? 4 * padded * (features + paddedWidth) : 0),
  });
  return { output, logSumExp };
}

/** Where the rows of an array lie: in itself, or where they would be copied from. */
function source(
  recorder: Recorder,
  array: DeviceArray,
  count: number,
): { rows: WasmArray; index?: WasmArray; count: number } {
  return recorder.deferred(array as WasmArray) ?? { rows: array as WasmArray, count };
}

function rowsOfTask(rows: number, workPerRow: number): number {
  const affordable = Math.floor(MOST_WORK / workPerRow), fair = Math.ceil(rows / FEWEST_TASKS);
  return Math.max(6, 6 * Math.floor(Math.min(MOST_ROWS, affordable, upTo(6, fair)) / 6));
}

function upTo(multiple: number, count: number): number {
  return Math.ceil(count / multiple) * multiple;
}

/** Twin of groupBytes in `assembly/query_group.ts`. */
function groupBytes(features: number, valueFeatures: number): number {
  return 192 + 4 * layout.GROUP_ROWS * (upTo(8, features) + upTo(8, valueFeatures));
}
