import type { FittedCentre } from "../../coreset_primitives.ts";
import type { Arguments } from "../../primitives.ts";
import type { Kernel } from "../engine/kernel.ts";
import type { Recorder } from "../engine/recorder.ts";
import { padRows, trimRows } from "./pad_rows.ts";
import { shaders } from "../shaders.generated.ts";

const kernel: Kernel = {
  file: "fit_centre.wgsl",
  source: [shaders["member_of_part.wgsl"], shaders["fit_centre.wgsl"]],
};
const weighKernel: Kernel = {
  file: "weigh_centre.wgsl",
  source: [shaders["weigh_centre.wgsl"]],
};

/** The point that stands for all keys of each head: where it lies, then its value and mass. */
export function fitCentre(recorder: Recorder, args: Arguments<"fitCentre">): FittedCentre {
  const { heads, keys, features, valueFeatures, probes } = args;
  const columns = Math.ceil(features / 4), valueColumns = Math.ceil(valueFeatures / 4);
  const every = Math.ceil(keys / args.sampled), taken = Math.ceil(keys / every);
  const key = recorder.array("float", heads * 4 * columns, "the centres of the keys");
  const value = recorder.array("float", heads * 4 * valueColumns, "the centres' values");
  const logMass = recorder.array("float", heads, "the masses of the centres");
  const { software } = recorder, constants = { LANES: software ? 16 : 64 };
  recorder.dispatch({
    kernel,
    definitions: { AHEAD: recorder.loadsAhead },
    constants: { LANES: software ? 16 : 256 },
    parameters: { heads, keys, probes, columns, taken, every },
    bindings: {
      key: padRows(recorder, args.key, heads * keys, features),
      probabilities: args.probabilities,
      masses: recorder.array("float", heads * taken, "the masses of the sampled keys"),
      pointKey: key,
      sampled: recorder.array("word", heads * taken, "the sampled keys"),
    },
    workgroups: heads,
  });
  recorder.dispatch({
    kernel: weighKernel,
    definitions: { AHEAD: recorder.loadsAhead },
    constants,
    parameters: {
      heads,
      probes,
      columns,
      valueColumns,
      scale: args.scale,
      unit: 2 ** Math.floor(Math.log2(Math.max(args.largestValue, 2 ** -100))),
    },
    bindings: {
      query: padRows(recorder, args.query, heads * probes, features),
      logSumExp: args.logSumExp,
      exact: padRows(recorder, args.output, heads * probes, valueFeatures),
      mean: padRows(recorder, args.mean, heads, valueFeatures),
      pointKey: key,
      value,
      logMass,
      parts: recorder.array("float", 4 * heads * probes, "the probes' parts of the centres"),
    },
    workgroups: heads,
  });
  return {
    key: trimRows(recorder, key, heads, features),
    value: trimRows(recorder, value, heads, valueFeatures),
    logMass,
  };
}
