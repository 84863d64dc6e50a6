import type { PartialAttention } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import * as layout from "../engine/layout.ts";
import { addressOf, type WasmArray, type Workspace } from "../engine/program.ts";

/** Records the merge of two partial results. */
export function mergeAttention(
  workspace: Workspace,
  args: Arguments<"mergeAttention">,
): PartialAttention {
  const { heads, queries, valueFeatures, first, second } = args;
  const inputs = [first.output, first.logSumExp, second.output, second.logSumExp];
  const output = workspace.floats(heads * queries * valueFeatures);
  const logSumExp = workspace.floats(heads * queries);
  workspace.record({
    code: layout.MERGE_ATTENTION,
    tasks: heads * Math.ceil(queries / layout.CHUNK_ROWS),
    words: [...inputs.map(addressOf), output.address, logSumExp.address, heads, queries, valueFeatures],
    inputs: inputs as WasmArray[],
    outputs: [output, logSumExp],
  });
  return { output, logSumExp };
}
