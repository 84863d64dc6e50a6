import type { FittedCentre } from "../../coreset_primitives.ts";
import type { Arguments } from "../../primitives.ts";
import { packArguments } from "../engine/arguments.ts";
import * as codes from "../engine/codes.generated.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";

/** Records the point that stands for all keys: one head a task. */
export function fitCentre(workspace: Workspace, args: Arguments<"fitCentre">): FittedCentre {
  const { heads, keys, features, valueFeatures, probes, scale } = args;
  const inputs = [args.key, args.query, args.probabilities, args.logSumExp, args.output, args.mean]
    .map((array) => array as WasmArray);
  const key = workspace.floats(heads * features), value = workspace.floats(heads * valueFeatures);
  const logMass = workspace.floats(heads), outputs = [key, value, logMass];
  workspace.record({
    code: codes.FIT_CENTRE,
    tasks: heads,
    words: packArguments("CentreArguments", {
      key: args.key,
      query: args.query,
      probabilities: args.probabilities,
      logSumExp: args.logSumExp,
      output: args.output,
      mean: args.mean,
      pointKey: key,
      pointValue: value,
      logMass,
      keys,
      features,
      valueFeatures,
      probes,
      scale,
      every: Math.ceil(keys / args.sampled),
    }),
    inputs,
    outputs,
    scratchBytes: 8 * valueFeatures,
  });
  return { key, value, logMass };
}
