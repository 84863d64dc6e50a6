import type { Backend, DeviceArray } from "../../backend.ts";
import * as layout from "../engine/layout.ts";
import type { Recorder, WasmArray } from "../engine/program.ts";

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
