import type { Backend, DeviceArray } from "../../backend.ts";
import * as layout from "../engine/layout.ts";
import { floatWord, type Recorder, type WasmArray } from "../engine/program.ts";
import { centreRows } from "./centre_rows.ts";

/** Records the calibration of the values of points: steps that each need all of the one before. */
export function calibrateValues(
  recorder: Recorder,
  args: Parameters<Backend["calibrateValues"]>[0],
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
  const centred = centreRows(recorder, shape) as WasmArray;
  const values = recorder.floats(heads * most * valueFeatures), kept = recorder.words(heads);
  const rows = recorder.floats(heads * probes * rowLength), scale = recorder.floats(heads * rowLength);
  const [residual, half, dual] = [1, 2, 3].map(() => recorder.floats(heads * fitted * valueFeatures));
  const [gram, factor, inverse] = [1, 2, 3].map(() => recorder.floats(heads * fitted * lineLength));
  const diagonal = recorder.floats(heads * lineLength);
  // deno-fmt-ignore
  const arrays = [
    logits, clusters, output, mean, centred, values, rows, scale, residual, half, dual, gram, factor, inverse,
    diagonal, kept,
  ];
  const words = arrays.map(({ address }) => address).concat([
    heads,
    valueFeatures,
    probes,
    fitted,
    even,
    most,
  ]);
  words.push(floatWord(Math.sqrt(otherWeight)), floatWord(largestValue));
  const step = (
    code: number,
    tasks: number,
    inputs: WasmArray[],
    outputs: WasmArray[],
    scratchBytes?: number,
  ) => recorder.record({ code, tasks, words, inputs, outputs, scratchBytes });
  const width = 4 * valueFeatures;
  step(layout.CALIBRATE_ROWS, heads * probes, [logits, clusters, output, mean, centred], [rows, residual]);
  step(layout.CALIBRATE_SCALE, heads, [rows], [rows, scale]);
  step(layout.CALIBRATE_GRAM, heads * Math.ceil(fitted / layout.BAND_ROWS), [rows], [gram]);
  step(layout.CALIBRATE_SOLVE, heads, [gram, residual], [factor, inverse, diagonal, half, dual, kept]);
  const chunks = Math.ceil(most / layout.CHUNK_POINTS);
  step(layout.CALIBRATE_CORRECT, heads * chunks, [rows, scale, dual, kept, centred], [centred], width);
  step(layout.CALIBRATE_JUDGE, heads, [rows, centred], [values], 8 + width + 16 * (probes - fitted));
  return values;
}
