import type { PartialAttention } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import elementary from "./elementary.wgsl" with { type: "text" };
import source from "./merge_attention.wgsl" with { type: "text" };
import type { Kernel } from "../engine/pipelines.ts";
import type { Recorder } from "../engine/recorder.ts";
import { rowTile } from "./row_tile.ts";

const kernel: Kernel = {
  file: "merge_attention.wgsl",
  source: [elementary, source],
  access: ["read", "read", "read", "read", "write", "write"],
};

/** Merges two partial results over disjoint keys, into arrays that are no longer needed where such are given. */
export function mergeAttention(
  recorder: Recorder,
  args: Arguments<"mergeAttention">,
  into?: PartialAttention,
): PartialAttention {
  const { first, second, heads, queries, valueFeatures } = args;
  const output = into?.output ??
    recorder.array("float", heads * queries * valueFeatures, "the merged output");
  const logSumExp = into?.logSumExp ?? recorder.array("float", heads * queries, "the merged log-sum-exp");
  const tile = rowTile(valueFeatures, recorder.software);
  recorder.dispatch({
    kernel,
    ...tile,
    parameters: [heads, queries, tile.width],
    arrays: [first.output, first.logSumExp, second.output, second.logSumExp, output, logSumExp],
    workgroups: Math.ceil(heads * queries / tile.rows),
  });
  return { output, logSumExp };
}
