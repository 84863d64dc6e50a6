import type { FittedPoints } from "../../coreset_primitives.ts";
import type { Arguments } from "../../primitives.ts";
import * as layout from "../engine/layout.ts";
import { floatWord, type WasmArray, type Workspace } from "../engine/program.ts";

/** Records the points of clusters: the columns of the softmax rows laid out side by side, then one cluster a task. */
export function fitPoints(workspace: Workspace, args: Arguments<"fitPoints">): FittedPoints {
  const { heads, keys, features, valueFeatures, probes, fitted, even, otherWeight, most, scale } = args;
  const columnLength = 4 * Math.ceil(fitted / 4);
  const columns = workspace.floats(heads * keys * columnLength), masses = workspace.floats(heads * keys);
  const probabilities = args.probabilities as WasmArray;
  workspace.record({
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
  const key = workspace.floats(heads * most * features),
    value = workspace.floats(heads * most * valueFeatures);
  const logMass = workspace.floats(heads * most), logits = workspace.floats(heads * probes * most);
  const inputs = [args.key, args.value, args.query, args.logSumExp, args.labels, args.clusters, args.order]
    .map((array) => array as WasmArray);
  workspace.record({
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
