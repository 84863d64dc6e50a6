import type { Backend, DeviceArray } from "../../backend.ts";
import * as layout from "../engine/layout.ts";
import type { Recorder, WasmArray } from "../engine/program.ts";

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
