import type { Backend, DeviceArray } from "../../backend.ts";
import * as layout from "../engine/layout.ts";
import type { Recorder, WasmArray } from "../engine/program.ts";

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
