import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import type { Kernel } from "../engine/kernel.ts";
import { reductions } from "./reductions.ts";
import type { Recorder } from "../engine/recorder.ts";
import { shaders } from "../shaders.generated.ts";

const kernel: Kernel = {
  file: "pair_buckets.wgsl",
  source: [reductions, shaders["pair_buckets.wgsl"]],
};

/** Blocks of queries and keys of the same bucket. */
export function pairBuckets(recorder: Recorder, args: Arguments<"pairBuckets">): DeviceArray {
  const { heads, queries, keys, buckets, mostQueries, mostKeys } = args;
  const blocks = Math.ceil(queries / mostQueries) + buckets;
  const positions = recorder.array("word", heads * blocks * 4, "the bounds of blocks");
  const firsts = recorder.array("word", heads * (buckets + 1) * 4, "the first rows of buckets");
  const step = {
    kernel,
    constants: { LANES: recorder.reducingLanes },
    parameters: { heads, queries, keys, buckets, blocks, mostQueries, mostKeys },
    bindings: {
      queryRanks: args.queryRanks,
      queryOrder: args.queryOrder,
      keyRanks: args.keyRanks,
      keyOrder: args.keyOrder,
      positions,
      firsts,
    },
  };
  const each = (count: number) => Math.ceil(heads * count / 64);
  recorder.dispatch({ ...step, entryPoint: "findBuckets", workgroups: each(buckets + 1) });
  recorder.dispatch({ ...step, entryPoint: "countBlocks", workgroups: heads });
  recorder.dispatch({ ...step, entryPoint: "placeBlocks", workgroups: each(blocks) });
  return positions;
}
