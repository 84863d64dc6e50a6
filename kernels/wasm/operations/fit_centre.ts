import type { Backend } from "../../backend.ts";
import type { FittedCentre } from "../../coreset_primitives.ts";
import * as layout from "../engine/layout.ts";
import { floatWord, type Recorder, type WasmArray } from "../engine/program.ts";

/** Records the point that stands for all keys: one head a task. */
export function fitCentre(recorder: Recorder, args: Parameters<Backend["fitCentre"]>[0]): FittedCentre {
  const { heads, keys, features, valueFeatures, probes, scale } = args;
  const inputs = [args.key, args.query, args.probabilities, args.logSumExp, args.output, args.mean]
    .map((array) => array as WasmArray);
  const key = recorder.floats(heads * features), value = recorder.floats(heads * valueFeatures);
  const logMass = recorder.floats(heads), outputs = [key, value, logMass];
  recorder.record({
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
