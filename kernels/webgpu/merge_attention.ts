import type { Backend, PartialAttention } from "../backend.ts";
import elementary from "./elementary.wgsl" with { type: "text" };
import source from "./merge_attention.wgsl" with { type: "text" };
import type { Kernel } from "./pipelines.ts";
import type { Recorder } from "./recorder.ts";
import { rowTile } from "./row_tile.ts";

const kernel: Kernel = {
  file: "merge_attention.wgsl",
  source: [elementary, source],
  access: ["read", "read", "read", "read", "read", "read", "write", "write"],
};

/** Merges two partial results over disjoint keys, undoes the sort and adds the mean of the values back. */
export function mergeAttention(
  recorder: Recorder,
  args: Parameters<Backend["mergeAttention"]>[0],
): PartialAttention {
  const { first, second, order, shift, heads, queries, valueFeatures } = args;
  const output = recorder.array("float", heads * queries * valueFeatures, "the merged output");
  const logSumExp = recorder.array("float", heads * queries, "the merged log-sum-exp");
  const tile = rowTile(valueFeatures, recorder.software);
  recorder.dispatch({
    kernel,
    ...tile,
    constants: { MERGING: second ? 1 : 0, ORDERED: order ? 1 : 0, SHIFTED: shift ? 1 : 0 },
    parameters: [heads, queries, tile.width],
    arrays: [
      first.output,
      first.logSumExp,
      second?.output,
      second?.logSumExp,
      order,
      shift,
      output,
      logSumExp,
    ],
    workgroups: Math.ceil(heads * queries / tile.rows),
  });
  return { output, logSumExp };
}
