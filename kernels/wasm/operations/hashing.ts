import type { Backend, DeviceArray } from "../../backend.ts";
import * as layout from "../engine/layout.ts";
import { addressOf, type Recorder, type WasmArray } from "../engine/program.ts";

/** Digits of one pass of the sort: twin of DIGITS in `assembly/sort_by_bucket.ts`. */
const DIGITS = 4096;

/** Records the Gray ranks of the rows' sign patterns. */
export function angularHash(recorder: Recorder, args: Parameters<Backend["angularHash"]>[0]): DeviceArray {
  const { heads, count, width, projections } = args;
  const rows = args.rows as WasmArray, shift = args.shift as WasmArray | undefined;
  const hyperplanes = args.hyperplanes as WasmArray;
  const ranks = recorder.words(heads * count);
  recorder.record({
    code: layout.ANGULAR_HASH,
    tasks: heads * Math.ceil(count / layout.HASH_ROWS),
    // deno-fmt-ignore
    words: [
      rows.address, addressOf(shift), hyperplanes.address, ranks.address, heads, count, width, projections,
    ],
    inputs: [rows, shift, hyperplanes],
    outputs: [ranks],
    scratchBytes: 4 * layout.GROUP_ROWS * layout.TILE_KEYS +
      4 * width * (Math.ceil(projections / layout.PANEL) * layout.PANEL + 2 * layout.GROUP_ROWS),
  });
  return ranks;
}

/** Records the stable sort by bucket. */
export function sortByBucket(
  recorder: Recorder,
  args: Parameters<Backend["sortByBucket"]>[0],
): { order: DeviceArray; position: DeviceArray } {
  const { heads, count, buckets } = args;
  const ranks = args.ranks as WasmArray;
  const order = recorder.words(heads * count), position = recorder.words(heads * count);
  const scratch = recorder.words(heads * (DIGITS + count));
  recorder.record({
    code: layout.SORT_BY_BUCKET,
    tasks: heads,
    words: [ranks.address, order.address, position.address, scratch.address, heads, count, buckets],
    inputs: [ranks],
    outputs: [order, position, scratch],
  });
  return { order, position };
}

/** Records the blocks of queries and keys of the same bucket. */
export function pairBuckets(recorder: Recorder, args: Parameters<Backend["pairBuckets"]>[0]): DeviceArray {
  const { heads, queries, keys, buckets, mostQueries, mostKeys } = args;
  const inputs = [args.queryRanks, args.queryOrder, args.keyRanks, args.keyOrder] as WasmArray[];
  const positions = recorder.words(heads * (Math.ceil(queries / mostQueries) + buckets) * 4);
  recorder.record({
    code: layout.PAIR_BUCKETS,
    tasks: heads,
    words: [...inputs.map(addressOf), positions.address, queries, keys, buckets, mostQueries, mostKeys],
    inputs,
    outputs: [positions],
  });
  return positions;
}
