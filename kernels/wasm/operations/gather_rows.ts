import type { Backend, DeviceArray } from "../../backend.ts";
import * as layout from "../engine/layout.ts";
import type { Recorder, WasmArray } from "../engine/program.ts";

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
