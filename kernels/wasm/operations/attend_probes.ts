import type { Backend, DeviceArray, PartialAttention } from "../../backend.ts";
import * as layout from "../engine/layout.ts";
import type { Recorder, WasmArray } from "../engine/program.ts";
import { type Outputs, recordProbabilities } from "./softmax_rows.ts";

/** Records attention of few queries, by way of its probabilities. */
export function attendProbes(
  recorder: Recorder,
  args: Parameters<Backend["attendProbes"]>[0],
): PartialAttention & { probabilities: DeviceArray } {
  const { heads, queries, keys, valueFeatures } = args, rows = heads * queries;
  const chunks = Math.ceil(keys / layout.CHUNK_KEYS);
  const probabilities = recorder.floats(rows * keys);
  const outputs: Outputs = {
    value: args.value as WasmArray,
    valueFeatures,
    logSumExp: recorder.floats(rows),
    output: recorder.floats(rows * valueFeatures),
    partial: recorder.floats(rows * chunks * valueFeatures),
  };
  const words = recordProbabilities(recorder, args, probabilities, outputs);
  const { value, output, partial, logSumExp } = outputs;
  recorder.record({
    code: layout.PROBE_PARTS,
    tasks: heads * chunks,
    words,
    inputs: [probabilities, value],
    outputs: [partial],
  });
  recorder.record({ code: layout.PROBE_OUTPUT, tasks: rows, words, inputs: [partial], outputs: [output] });
  return { output, logSumExp, probabilities };
}
