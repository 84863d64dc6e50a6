import type { Backend, PartialAttention } from "../../backend.ts";
import * as layout from "../engine/layout.ts";
import { addressOf, type Recorder, type WasmArray } from "../engine/program.ts";

/** Records the merge of two partial results. */
export function mergeAttention(
  recorder: Recorder,
  args: Parameters<Backend["mergeAttention"]>[0],
): PartialAttention {
  const { heads, queries, valueFeatures, first, second } = args;
  const inputs = [first.output, first.logSumExp, second.output, second.logSumExp];
  const output = recorder.floats(heads * queries * valueFeatures);
  const logSumExp = recorder.floats(heads * queries);
  recorder.record({
    code: layout.MERGE_ATTENTION,
    tasks: heads * Math.ceil(queries / layout.CHUNK_ROWS),
    words: [...inputs.map(addressOf), output.address, logSumExp.address, heads, queries, valueFeatures],
    inputs: inputs as WasmArray[],
    outputs: [output, logSumExp],
  });
  return { output, logSumExp };
}
