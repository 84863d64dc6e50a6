import type { Backend, DeviceArray } from "../../backend.ts";
import * as layout from "../engine/layout.ts";
import type { Recorder, WasmArray } from "../engine/program.ts";

/** Digits of one pass of the sort: twin of DIGITS in `assembly/sort_by_bucket.ts`. */
const DIGITS = 4096;

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
