import type { PartialAttention } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import { packArguments } from "../engine/arguments.ts";
import * as codes from "../engine/codes.generated.ts";
import * as layout from "../engine/layout.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";

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
    code: codes.MERGE_ATTENTION,
    tasks: heads * Math.ceil(queries / layout.CHUNK_ROWS),
    words: packArguments("MergeArguments", {
      firstOutput: first.output,
      firstLogSumExp: first.logSumExp,
      secondOutput: second.output,
      secondLogSumExp: second.logSumExp,
      output,
      logSumExp,
      heads,
      queries,
      width: valueFeatures,
    }),
    inputs: inputs as WasmArray[],
    outputs: [output, logSumExp],
  });
  return { output, logSumExp };
}
