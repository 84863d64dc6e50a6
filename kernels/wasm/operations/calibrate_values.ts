import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import { packArguments } from "../engine/arguments.ts";
import * as codes from "../engine/codes.generated.ts";
import * as layout from "../engine/layout.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";
import { centreRows } from "./centre_rows.ts";

/** Records the calibration of the values of points: steps that each need all of the one before. */
export function calibrateValues(
  workspace: Workspace,
  args: Arguments<"calibrateValues">,
): DeviceArray {
  const { heads, valueFeatures, probes, fitted, even, otherWeight, most, largestValue } = args;
  const [logits, clusters, output, mean] = [
    args.logits,
    args.clusters,
    args.output,
    args.mean,
  ] as WasmArray[];
  const rowLength = 4 * Math.ceil(most / 4), lineLength = 4 * Math.ceil(fitted / 4);
  const shape = { rows: args.value, centre: mean, heads, count: most, width: valueFeatures };
  const centred = centreRows(workspace, shape) as WasmArray;
  const values = workspace.floats(heads * most * valueFeatures), kept = workspace.words(heads);
  const rows = workspace.floats(heads * probes * rowLength), scale = workspace.floats(heads * rowLength);
  const [residual, half, dual] = [1, 2, 3].map(() => workspace.floats(heads * fitted * valueFeatures));
  const [gram, factor, inverse] = [1, 2, 3].map(() => workspace.floats(heads * fitted * lineLength));
  const diagonal = workspace.floats(heads * lineLength);
  const words = packArguments("CalibrateArguments", {
    logits,
    clusters,
    output,
    mean,
    centred,
    values,
    rows,
    scale,
    residual,
    half,
    dual,
    gram,
    factor,
    inverse,
    diagonal,
    kept,
    heads,
    valueFeatures,
    probes,
    fitted,
    even,
    most,
    otherRoot: Math.sqrt(otherWeight),
    largestValue,
  });
  const step = (
    code: number,
    tasks: number,
    inputs: WasmArray[],
    outputs: WasmArray[],
    scratchBytes?: number,
  ) => workspace.record({ code, tasks, words, inputs, outputs, scratchBytes });
  const width = 4 * valueFeatures;
  step(codes.CALIBRATE_ROWS, heads * probes, [logits, clusters, output, mean, centred], [rows, residual]);
  step(codes.CALIBRATE_SCALE, heads, [rows], [rows, scale]);
  step(codes.CALIBRATE_GRAM, heads * Math.ceil(fitted / layout.BAND_ROWS), [rows], [gram]);
  step(codes.CALIBRATE_SOLVE, heads, [gram, residual], [factor, inverse, diagonal, half, dual, kept]);
  const chunks = Math.ceil(most / layout.CHUNK_POINTS);
  step(codes.CALIBRATE_CORRECT, heads * chunks, [rows, scale, dual, kept, centred], [centred], width);
  step(codes.CALIBRATE_JUDGE, heads, [rows, centred], [values], 8 + width + 16 * (probes - fitted));
  return values;
}
