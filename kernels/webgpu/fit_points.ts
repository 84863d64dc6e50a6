import type { Backend, DeviceArray, FittedPoints } from "../backend.ts";
import { floatBits } from "./array.ts";
import elementary from "./elementary.wgsl" with { type: "text" };
import massesSource from "./fit_masses.wgsl" with { type: "text" };
import meansSource from "./fit_means.wgsl" with { type: "text" };
import type { Kernel } from "./pipelines.ts";
import type { Recorder } from "./recorder.ts";
import { padRows, trimRows } from "./rows.ts";
import { rowLogits } from "./softmax_rows.ts";

const massesKernel: Kernel = {
  file: "fit_masses.wgsl",
  source: [elementary, massesSource],
  access: ["read", "read", "read", "read", "write", "write"],
};

const meansKernel: Kernel = {
  file: "fit_means.wgsl",
  source: [elementary, meansSource],
  access: ["read", "read", "read", "read", "read", "write", "write", "write"],
};

/** One weighted point for each cluster of keys, fitted to softmax rows of the probes. */
export function fitPoints(recorder: Recorder, args: Parameters<Backend["fitPoints"]>[0]): FittedPoints {
  const { heads, keys, features, valueFeatures, probes, fitted, even, otherWeight, most, scale } = args;
  const { labels, clusters, order } = args, points = heads * most;
  const key = recorder.array("float", points * 4 * Math.ceil(features / 4), "the keys of the points");
  const value = recorder.array(
    "float",
    points * 4 * Math.ceil(valueFeatures / 4),
    "the values of the points",
  );
  const logMass = recorder.array("float", points, "the masses of the points");
  const logits = recorder.array("float", heads * probes * most, "the logits of the points");
  const weights = recorder.array("float", heads * fitted * most, "the weights of the probes");
  const fit = recorder.array("float", 2 * heads * keys + 3 * points, "the masses of the keys");
  const onMasses = {
    kernel: massesKernel,
    definitions: { FOUR: 4 },
    parameters: [heads, keys, probes, fitted, most, even, floatBits(otherWeight)],
    arrays: [args.probabilities, labels, args.logSumExp, logits, weights, fit],
  };
  const meansOf = (rows: DeviceArray, width: number, means: DeviceArray) => ({
    kernel: meansKernel,
    definitions: { FOUR: 4 },
    constants: { LANES: recorder.reducingLanes },
    parameters: [heads, keys, probes, most, Math.ceil(width / 4)],
    arrays: [
      padRows(recorder, rows, heads * keys, width),
      labels,
      order,
      clusters,
      fit,
      means,
      logMass,
      logits,
    ],
    workgroups: points,
  });
  recorder.dispatch({ ...onMasses, entryPoint: "seenMasses", workgroups: Math.ceil(heads * keys / 64) });
  recorder.dispatch({ ...meansOf(args.key, features, key), entryPoint: "pointKeys" });
  const query = padRows(recorder, args.query, heads * probes, features);
  rowLogits(recorder, { heads, queries: probes, keys: most, features, scale, query, key, logits });
  recorder.dispatch({ ...onMasses, entryPoint: "weigh", workgroups: Math.ceil(points / 64) });
  recorder.dispatch({ ...onMasses, entryPoint: "fittedMasses", workgroups: Math.ceil(heads * keys / 64) });
  recorder.dispatch({ ...meansOf(args.value, valueFeatures, value), entryPoint: "pointValues" });
  return {
    key: trimRows(recorder, key, points, features),
    value: trimRows(recorder, value, points, valueFeatures),
    logMass,
    logits,
  };
}
