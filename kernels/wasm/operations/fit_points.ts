import type { FittedPoints } from "../../coreset_primitives.ts";
import type { Arguments } from "../../primitives.ts";
import { packArguments } from "../engine/arguments.ts";
import * as codes from "../engine/codes.generated.ts";
import * as layout from "../engine/layout.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";

/** Records the points of clusters: the columns of the softmax rows laid out side by side, then one cluster a task. */
export function fitPoints(workspace: Workspace, args: Arguments<"fitPoints">): FittedPoints {
  const { heads, keys, features, valueFeatures, probes, fitted, even, otherWeight, most, scale } = args;
  const columnLength = 4 * Math.ceil(fitted / 4);
  const columns = workspace.floats(heads * keys * columnLength), masses = workspace.floats(heads * keys);
  const probabilities = args.probabilities as WasmArray;
  workspace.record({
    code: codes.TRANSPOSE_PROBES,
    tasks: heads * Math.ceil(keys / layout.CHUNK_ROWS),
    words: packArguments("TransposeArguments", {
      probabilities,
      columns,
      masses,
      heads,
      keys,
      probes,
      fitted,
      even,
      otherWeight,
    }),
    inputs: [probabilities],
    outputs: [columns, masses],
  });
  const key = workspace.floats(heads * most * features),
    value = workspace.floats(heads * most * valueFeatures);
  const logMass = workspace.floats(heads * most), logits = workspace.floats(heads * probes * most);
  const inputs = [args.key, args.value, args.query, args.logSumExp, args.labels, args.clusters, args.order]
    .map((array) => array as WasmArray);
  workspace.record({
    code: codes.FIT_POINTS,
    tasks: heads * most,
    words: packArguments("FitArguments", {
      key: args.key,
      value: args.value,
      query: args.query,
      logSumExp: args.logSumExp,
      labels: args.labels,
      clusters: args.clusters,
      order: args.order,
      columns,
      masses,
      pointKey: key,
      pointValue: value,
      logMass,
      logits,
      heads,
      keys,
      features,
      valueFeatures,
      probes,
      fitted,
      even,
      otherWeight,
      most,
      scale,
    }),
    inputs: [...inputs, columns, masses],
    outputs: [key, value, logMass, logits],
    scratchBytes: 4 * (probes + columnLength),
  });
  return { key, value, logMass, logits };
}
