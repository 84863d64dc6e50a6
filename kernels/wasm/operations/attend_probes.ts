import type { DeviceArray, PartialAttention } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import * as codes from "../engine/codes.generated.ts";
import * as layout from "../engine/layout.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";
import { type Outputs, recordProbabilities } from "./softmax_rows.ts";

/** Records attention of few queries, by way of its probabilities. */
export function attendProbes(
  workspace: Workspace,
  args: Arguments<"attendProbes">,
): PartialAttention & { probabilities: DeviceArray } {
  const { heads, queries, keys, valueFeatures } = args, rows = heads * queries;
  const chunks = Math.ceil(keys / layout.CHUNK_KEYS);
  const probabilities = workspace.floats(rows * keys);
  const outputs: Outputs = {
    value: args.value as WasmArray,
    valueFeatures,
    logSumExp: workspace.floats(rows),
    output: workspace.floats(rows * valueFeatures),
    partial: workspace.floats(rows * chunks * valueFeatures),
  };
  const words = recordProbabilities(workspace, args, probabilities, outputs);
  const { value, output, partial, logSumExp } = outputs;
  workspace.record({
    code: codes.PROBE_PARTS,
    tasks: heads * chunks,
    words,
    inputs: [probabilities, value],
    outputs: [partial],
  });
  workspace.record({ code: codes.PROBE_OUTPUT, tasks: rows, words, inputs: [partial], outputs: [output] });
  return { output, logSumExp, probabilities };
}
