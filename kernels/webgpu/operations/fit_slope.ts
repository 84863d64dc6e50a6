import type { FittedSlope } from "../../coreset_primitives.ts";
import type { Arguments } from "../../primitives.ts";
import type { Kernel } from "../engine/kernel.ts";
import type { Recorder } from "../engine/recorder.ts";
import { multiply } from "./add_linear.ts";
import { padRows, trimRows } from "./pad_rows.ts";
import { reductions } from "./reductions.ts";
import { tileFor } from "./slope_tile.ts";
import { shaders } from "../shaders.generated.ts";

const kernel: Kernel = {
  file: "fit_slope.wgsl",
  source: [shaders["member_of_part.wgsl"], shaders["fit_slope.wgsl"]],
};

const weighKernel: Kernel = {
  file: "weigh_slope.wgsl",
  source: [reductions, shaders["weigh_slope.wgsl"]],
};

/** The linear function that fitted points leave out; its slope has rows and columns padded to whole vec4s. */
export function fitSlope(recorder: Recorder, args: Arguments<"fitSlope">): FittedSlope {
  const { heads, keys, features, valueFeatures, probes, fitted, even, otherWeight, most, labels } = args;
  const columns = Math.ceil(features / 4), valueColumns = Math.ceil(valueFeatures / 4);
  const every = Math.ceil(keys / args.sampled), taken = Math.ceil(keys / every);
  const slope = recorder.array("float", heads * 16 * columns * valueColumns, "the slopes");
  const total = Math.min(even, fitted) + otherWeight * Math.max(0, fitted - even);
  const tile = tileFor(recorder, heads * probes), strips = Math.ceil(valueColumns / tile.strip);
  const pointValue = padRows(recorder, args.points.value, heads * most, valueFeatures);
  const step = {
    kernel,
    definitions: {
      FOUR: 4,
      COLUMNS: tile.strip,
      LABELLED: labels ? 1 : 0,
      PARTS: tile.parts,
      SHARING: tile.sharing,
      AHEAD: tile.ahead,
    },
    constants: { LANES: tile.lanes },
    parameters: {
      heads,
      keys,
      probes,
      fitted,
      even,
      otherWeight,
      most,
      columns,
      valueColumns,
      taken,
      every,
      unit: args.scale * every / total,
      strips,
    },
    bindings: {
      key: padRows(recorder, args.key, heads * keys, features),
      value: padRows(recorder, args.value, heads * keys, valueFeatures),
      pointKey: padRows(recorder, args.points.key, heads * most, features),
      pointValue,
      labels,
      probabilities: args.probabilities,
      strays: recorder.array("float", heads * taken * 4 * (columns + valueColumns), "the strays"),
      slope,
    },
  };
  recorder.dispatch({
    ...step,
    entryPoint: "stray",
    workgroups: Math.ceil(heads * taken * tile.sharing / 64),
  });
  recorder.dispatch({
    ...step,
    entryPoint: "sumProducts",
    workgroups: Math.ceil(heads * columns * strips * tile.parts / tile.lanes),
  });
  const run = recorder.software ? valueColumns : Math.min(valueColumns, tile.ahead);
  const rowsOfProbes = (name: string) => recorder.array("float", heads * probes * 4 * valueColumns, name);
  const linear = rowsOfProbes("the slopes at the probes"), output = rowsOfProbes("what slopes leave");
  const offset = recorder.array("float", heads * 4 * valueColumns, "the offsets of the slopes");
  multiply(recorder, { ...args, slope, count: probes }, linear);
  recorder.dispatch({
    kernel: weighKernel,
    definitions: { AHEAD: tile.ahead },
    constants: { LANES: recorder.software ? tile.lanes : recorder.reducingLanes },
    parameters: {
      heads,
      probes,
      fitted,
      even,
      otherWeight,
      valueColumns,
      slopes: 4 * columns * valueColumns,
      unit: 2 ** Math.floor(Math.log2(Math.max(args.largestValue, 2 ** -100))),
      approximateHead: valueColumns * (args.approximate ? probes : most),
      approximateProbe: args.approximate ? valueColumns : 0,
      run,
    },
    bindings: {
      linear,
      exact: padRows(recorder, args.exact, heads * probes, valueFeatures),
      approximate: args.approximate
        ? padRows(recorder, args.approximate, heads * probes, valueFeatures)
        : pointValue,
      slope,
      offset,
      output,
      parts: recorder.array(
        "float",
        2 * heads * fitted * Math.ceil(valueColumns / run),
        "the parts of the slopes' factors",
      ),
    },
    entryPoint: "main",
    workgroups: heads,
  });
  return {
    slope,
    offset: trimRows(recorder, offset, heads, valueFeatures),
    output: trimRows(recorder, output, heads * probes, valueFeatures),
  };
}
