import type { Backend, DeviceArray, PartialAttention } from "../../backend.ts";
import * as layout from "../engine/layout.ts";
import { addressOf, type Recorder, type WasmArray } from "../engine/program.ts";

/** Records the mean of the rows of each head. */
export function columnMean(recorder: Recorder, args: Parameters<Backend["columnMean"]>[0]): DeviceArray {
  const { heads, count, width } = args;
  const rows = args.rows as WasmArray, chunks = Math.ceil(count / layout.SUM_ROWS);
  const sums = recorder.floats(heads * chunks * width), mean = recorder.floats(heads * width);
  recorder.record({
    code: layout.COLUMN_SUMS,
    tasks: heads * chunks,
    words: [rows.address, 0, sums.address, heads, count, width, 0],
    inputs: [rows],
    outputs: [sums],
  });
  recorder.record({
    code: layout.COLUMN_MEAN,
    tasks: heads,
    words: [rows.address, sums.address, mean.address, heads, count, width, 0],
    inputs: [rows, sums],
    outputs: [mean],
  });
  return mean;
}

/** Records rows minus the centre of their head. */
export function centreRows(recorder: Recorder, args: Parameters<Backend["centreRows"]>[0]): DeviceArray {
  const { heads, count, width } = args;
  const rows = args.rows as WasmArray, centre = args.centre as WasmArray;
  const result = recorder.floats(heads * count * width);
  recorder.record({
    code: layout.CENTRE_ROWS,
    tasks: heads * Math.ceil(count / layout.CHUNK_ROWS),
    words: [rows.address, centre.address, result.address, heads, count, width, 0],
    inputs: [rows, centre],
    outputs: [result],
  });
  return result;
}

/** Records copies of the picked rows. */
export function gatherRows(recorder: Recorder, args: Parameters<Backend["gatherRows"]>[0]): DeviceArray {
  const { heads, count, width, picks } = args;
  const rows = args.rows as WasmArray, index = args.index as WasmArray;
  const result = recorder.floats(heads * picks * width);
  recorder.record({
    code: layout.GATHER_ROWS,
    tasks: heads * Math.ceil(picks / layout.CHUNK_ROWS),
    words: [rows.address, index.address, result.address, heads, count, width, picks],
    inputs: [rows, index],
    outputs: [result],
  });
  return result;
}

/** Records sketches of the rows. */
export function sketchRows(recorder: Recorder, args: Parameters<Backend["sketchRows"]>[0]): DeviceArray {
  const { heads, count, width, folded } = args;
  const rows = args.rows as WasmArray, signs = args.signs as WasmArray;
  const result = recorder.floats(heads * count * folded);
  recorder.record({
    code: layout.SKETCH_ROWS,
    tasks: heads * Math.ceil(count / layout.CHUNK_ROWS),
    words: [rows.address, signs.address, result.address, heads, count, width, folded],
    inputs: [rows, signs],
    outputs: [result],
  });
  return result;
}

/** Records the merge of two partial results. */
export function mergeAttention(
  recorder: Recorder,
  args: Parameters<Backend["mergeAttention"]>[0],
): PartialAttention {
  const { heads, queries, valueFeatures, first, second } = args;
  const inputs = [first.output, first.logSumExp, second.output, second.logSumExp];
  const output = recorder.floats(heads * queries * valueFeatures);
  const logSumExp = recorder.floats(heads * queries);
  recorder.record({
    code: layout.MERGE_ATTENTION,
    tasks: heads * Math.ceil(queries / layout.CHUNK_ROWS),
    words: [...inputs.map(addressOf), output.address, logSumExp.address, heads, queries, valueFeatures],
    inputs: inputs as WasmArray[],
    outputs: [output, logSumExp],
  });
  return { output, logSumExp };
}
