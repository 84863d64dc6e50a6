import type { FittedCentre } from "../../coreset_primitives.ts";
import type { Arguments } from "../../primitives.ts";
import * as layout from "../engine/layout.ts";
import { floatWord, type WasmArray, type Workspace } from "../engine/program.ts";

/** Records the point that stands for all keys: one head a task. */
export function fitCentre(workspace: Workspace, args: Arguments<"fitCentre">): FittedCentre {
  const { heads, keys, features, valueFeatures, probes, scale } = args;
  const inputs = [args.key, args.query, args.probabilities, args.logSumExp, args.output, args.mean]
    .map((array) => array as WasmArray);
  const key = workspace.floats(heads * features), value = workspace.floats(heads * valueFeatures);
  const logMass = workspace.floats(heads), outputs = [key, value, logMass];
  workspace.record({
    code: layout.FIT_CENTRE,
    tasks: heads,
    // deno-fmt-ignore
    words: [
      ...[...inputs, ...outputs].map(({ address }) => address), keys, features, valueFeatures, probes, floatWord(scale),
      Math.ceil(keys / args.sampled),
    ],
    inputs,
    outputs,
    scratchBytes: 8 * valueFeatures,
  });
  return { key, value, logMass };
}
