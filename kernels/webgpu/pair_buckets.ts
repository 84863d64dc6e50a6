import type { Backend, DeviceArray } from "../backend.ts";
import source from "./pair_buckets.wgsl" with { type: "text" };
import type { Kernel } from "./pipelines.ts";
import type { Recorder } from "./recorder.ts";

const kernel: Kernel = {
  file: "pair_buckets.wgsl",
  source: [source],
  access: ["read", "read", "read", "read", "write"],
};

/** Blocks of queries and keys of the same bucket, by binary search. */
export function pairBuckets(recorder: Recorder, args: Parameters<Backend["pairBuckets"]>[0]): DeviceArray {
  const { heads, queries, keys, buckets, mostQueries, mostKeys } = args;
  const blocks = Math.ceil(queries / mostQueries) + buckets;
  const positions = recorder.array("word", heads * blocks * 4, "the bounds of blocks");
  recorder.dispatch({
    kernel,
    parameters: [heads, queries, keys, buckets, blocks, mostQueries, mostKeys],
    arrays: [args.queryRanks, args.queryOrder, args.keyRanks, args.keyOrder, positions],
    workgroups: Math.ceil(heads * blocks / 64),
  });
  return positions;
}
