import type { PartialAttention } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import type { Kernel } from "../engine/kernel.ts";
import type { Recorder } from "../engine/recorder.ts";
import { rowTile } from "./row_tile.ts";
import { shaders } from "../shaders.generated.ts";

const kernel: Kernel = {
  file: "merge_attention.wgsl",
  source: [shaders["elementary.wgsl"], shaders["merge_attention.wgsl"]],
};

/** Merges two partial results over disjoint keys. */
export function mergeAttention(
  recorder: Recorder,
  args: Arguments<"mergeAttention">,
): PartialAttention {
  const { first, second, heads, queries, valueFeatures } = args;
  const output = recorder.array("float", heads * queries * valueFeatures, "the merged output");
  const logSumExp = recorder.array("float", heads * queries, "the merged log-sum-exp");
  const tile = rowTile(valueFeatures, recorder.software);
  recorder.dispatch({
    kernel,
    ...tile,
    parameters: { heads, queries, width: tile.width },
    bindings: {
      firstOutput: first.output,
      firstSum: first.logSumExp,
      secondOutput: second.output,
      secondSum: second.logSumExp,
      output,
      logSumExp,
    },
    workgroups: Math.ceil(heads * queries / tile.rows),
  });
  return { output, logSumExp };
}
