import type { Backend } from "../../backend.ts";
import type { FittedPoints } from "../../coreset_primitives.ts";
import * as layout from "../engine/layout.ts";
import { floatWord, type Recorder, type WasmArray } from "../engine/program.ts";

/** Records the points of clusters: the columns of the softmax rows laid out side by side, then one cluster a task. */
export function fitPoints(recorder: Recorder, args: Parameters<Backend["fitPoints"]>[0]): FittedPoints {
  const { heads, keys, features, valueFeatures, probes, fitted, even, otherWeight, most, scale } = args;
  const columnLength = 4 * Math.ceil(fitted / 4);
  const columns = recorder.floats(heads * keys * columnLength), masses = recorder.floats(heads * keys);
  const probabilities = args.probabilities as WasmArray;
  recorder.record({
    code: layout.TRANSPOSE_PROBES,
    tasks: heads * Math.ceil(keys / layout.CHUNK_ROWS),
    // deno-fmt-ignore
    words: [
      probabilities.address, columns.address, masses.address, heads, keys, probes, fitted, even,
      floatWord(otherWeight),
    ],
    inputs: [probabilities],
    outputs: [columns, masses],
  });
  const key = recorder.floats(heads * most * features), value = recorder.floats(heads * most * valueFeatures);
  const logMass = recorder.floats(heads * most), logits = recorder.floats(heads * probes * most);
  const inputs = [args.key, args.value, args.query, args.logSumExp, args.labels, args.clusters, args.order]
    .map((array) => array as WasmArray);
  recorder.record({
    code: layout.FIT_POINTS,
    tasks: heads * most,
    // deno-fmt-ignore
    words: [
      ...inputs.map(({ address }) => address), columns.address, masses.address, key.address, value.address,
      logMass.address, logits.address, heads, keys, features, valueFeatures, probes, fitted, even,
      floatWord(otherWeight), most, floatWord(scale),
    ],
    inputs: [...inputs, columns, masses],
    outputs: [key, value, logMass, logits],
    scratchBytes: 4 * (probes + columnLength),
  });
  return { key, value, logMass, logits };
}
