import type { Backend, DeviceArray } from "../../backend.ts";
import * as layout from "../engine/layout.ts";
import { addressOf, type Recorder, type WasmArray } from "../engine/program.ts";

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
