import type { Backend, PartialAttention } from "../backend.ts";
import elementary from "./elementary.wgsl" with { type: "text" };
import source from "./merge_attention.wgsl" with { type: "text" };
import type { Kernel } from "./pipelines.ts";
import type { Recorder } from "./recorder.ts";

const kernel: Kernel = {
  file: "merge_attention.wgsl",
  source: [elementary, source],
  access: ["read", "read", "read", "read", "read", "read", "write", "write"],
};

/** Rows that one workgroup merges. */
const ROWS = 16;

/** Merges two partial results over disjoint keys, undoes the sort and adds the mean of the values back. */
export function mergeAttention(
  recorder: Recorder,
  args: Parameters<Backend["mergeAttention"]>[0],
): PartialAttention {
  const { first, second, order, shift, heads, queries, valueFeatures } = args;
  const output = recorder.array("float", heads * queries * valueFeatures, "the merged output");
  const logSumExp = recorder.array("float", heads * queries, "the merged log-sum-exp");
  recorder.dispatch({
    kernel,
    parameters: [heads, queries, valueFeatures, second ? 1 : 0, order ? 1 : 0, shift ? 1 : 0],
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
    workgroups: Math.ceil(heads * queries / ROWS),
  });
  return { output, logSumExp };
}
