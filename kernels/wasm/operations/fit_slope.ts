import type { FittedSlope } from "../../coreset_primitives.ts";
import type { Arguments } from "../../primitives.ts";
import { packArguments } from "../engine/arguments.ts";
import * as codes from "../engine/codes.generated.ts";
import * as layout from "../engine/layout.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";
import { multiply } from "./add_linear.ts";

/** Records the linear function that fitted points leave out: strays, their products, and how much of these helps. */
export function fitSlope(workspace: Workspace, args: Arguments<"fitSlope">): FittedSlope {
  const { heads, keys, features, valueFeatures, probes, fitted, even, otherWeight, most, scale } = args;
  const every = Math.ceil(keys / args.sampled), taken = Math.ceil(keys / every);
  const given = [args.key, args.value, args.points.key, args.points.value, args.labels, args.probabilities]
    .map((array) => array as WasmArray | undefined);
  const outputs = [args.exact, args.approximate] as (WasmArray | undefined)[];
  const keyStrays = workspace.floats(heads * taken * features);
  const valueStrays = workspace.floats(heads * taken * valueFeatures);
  const slope = workspace.floats(heads * features * valueFeatures);
  const linear = workspace.floats(heads * probes * valueFeatures);
  const offset = workspace.floats(heads * valueFeatures),
    output = workspace.floats(heads * probes * valueFeatures);
  const words = packArguments("SlopeArguments", {
    key: args.key,
    value: args.value,
    pointKey: args.points.key,
    pointValue: args.points.value,
    labels: args.labels,
    probabilities: args.probabilities,
    exact: args.exact,
    approximate: args.approximate,
    keyStrays,
    valueStrays,
    slope,
    linear,
    offset,
    output,
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
    every,
  });
  workspace.record({
    code: codes.STRAYS,
    tasks: heads * Math.ceil(taken / layout.CHUNK_ROWS),
    words,
    inputs: given,
    outputs: [keyStrays, valueStrays],
  });
  workspace.record({
    code: codes.SLOPE,
    tasks: heads * Math.ceil(features / layout.SLOPE_FEATURES),
    words,
    inputs: [keyStrays, valueStrays],
    outputs: [slope],
  });
  multiply(workspace, { ...args, slope, count: probes }, linear);
  workspace.record({
    code: codes.WEIGH_SLOPE,
    tasks: heads,
    words,
    inputs: [slope, linear, ...outputs],
    // In place: what comes after reads the weighed slope.
    outputs: [slope, offset, output],
    scratchBytes: 16 * fitted,
  });
  return { slope, offset, output };
}
