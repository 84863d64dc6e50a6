import type { DeviceArray } from "../../backend.ts";
import type { FittedPoints } from "../../coreset_primitives.ts";
import type { Arguments } from "../../primitives.ts";
import type { Kernel } from "../engine/kernel.ts";
import type { Recorder } from "../engine/recorder.ts";
import { padRows, trimRows } from "./pad_rows.ts";
import { rowLogits } from "./softmax_rows.ts";
import { shaders } from "../shaders.generated.ts";

const massesKernel: Kernel = {
  file: "fit_masses.wgsl",
  source: [shaders["elementary.wgsl"], shaders["fit_masses.wgsl"]],
};

const meansKernel: Kernel = {
  file: "fit_means.wgsl",
  source: [shaders["elementary.wgsl"], shaders["fit_means.wgsl"]],
};

/** Invocations that share a mean on the CPU, where they take turns at every barrier, and on GPUs. */
const FEW_LANES = 16, LANES = 256;

/** Lanes that share the probes of a point on GPUs. */
const SHARES = 8;

/** One weighted point for each cluster of keys, fitted to softmax rows of the probes. */
export function fitPoints(recorder: Recorder, args: Arguments<"fitPoints">): FittedPoints {
  const { heads, keys, features, valueFeatures, probes, fitted, even, otherWeight, most, scale } = args;
  const { labels, clusters, order } = args, points = heads * most;
  const rowsOfPoints = (width: number, name: string) =>
    recorder.array("float", points * 4 * Math.ceil(width / 4), name);
  const key = rowsOfPoints(features, "the keys of the points");
  const value = rowsOfPoints(valueFeatures, "the values of the points");
  const logMass = recorder.array("float", points, "the masses of the points");
  const logits = recorder.array("float", heads * probes * most, "the logits of the points");
  const weights = recorder.array("float", heads * fitted * most, "the weights of the probes");
  const fit = recorder.array("float", 2 * heads * keys + 3 * points, "the masses of the keys");
  const shares = recorder.software ? 1 : SHARES;
  const massesOf = {
    kernel: massesKernel,
    definitions: { FOUR: recorder.software ? 4 : 16, AHEAD: recorder.loadsAhead, SHARES: shares },
    parameters: { heads, keys, probes, fitted, most, even, otherWeight },
    bindings: { probabilities: args.probabilities, labels, logSumExp: args.logSumExp, logits, weights, fit },
  };
  const meansOf = (of: DeviceArray, width: number, means: DeviceArray) => {
    const columns = Math.ceil(width / 4), rows = padRows(recorder, of, heads * keys, width);
    return {
      kernel: meansKernel,
      definitions: { FOUR: 4, PLACES: recorder.loadsAhead },
      constants: { LANES: recorder.software && fewLanesDo(keys, columns) ? FEW_LANES : LANES },
      parameters: { heads, keys, probes, most, columns },
      bindings: { rows, labels, order, clusters, fit, means, logMass, logits },
      workgroups: points,
    };
  };
  recorder.dispatch({ ...massesOf, entryPoint: "seenMasses", workgroups: Math.ceil(heads * keys / 64) });
  recorder.dispatch({ ...meansOf(args.key, features, key), entryPoint: "pointKeys" });
  const query = padRows(recorder, args.query, heads * probes, features);
  rowLogits(recorder, { heads, queries: probes, keys: most, features, scale, query, key, logits });
  recorder.dispatch({ ...massesOf, entryPoint: "weigh", workgroups: Math.ceil(points * shares / 64) });
  recorder.dispatch({ ...massesOf, entryPoint: "fittedMasses", workgroups: Math.ceil(heads * keys / 64) });
  recorder.dispatch({ ...meansOf(args.value, valueFeatures, value), entryPoint: "pointValues" });
  return {
    key: trimRows(recorder, key, points, features),
    value: trimRows(recorder, value, points, valueFeatures),
    logMass,
    logits,
  };
}

/**
 * Whether a cluster of all keys leaves few lanes well below the 65,535 turns after which Mesa's CPU driver (22.3)
 * ends all loops of an invocation, without a word; pointValues may take two means.
 */
function fewLanesDo(keys: number, columns: number): boolean {
  return 2 * Math.ceil(keys / 4) * Math.ceil(columns / FEW_LANES) <= 2 ** 15;
}
