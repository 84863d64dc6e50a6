import type { Backend, DeviceArray } from "../../backend.ts";
import * as layout from "../engine/layout.ts";
import type { Recorder, WasmArray } from "../engine/program.ts";

/** Records the inner products of rows with directions. */
export function innerProducts(
  recorder: Recorder,
  args: Parameters<Backend["innerProducts"]>[0],
): DeviceArray {
  const { heads, count, width, projections } = args;
  const rows = args.rows as WasmArray, directions = args.directions as WasmArray;
  const result = recorder.floats(heads * count * projections);
  recorder.record({
    code: layout.INNER_PRODUCTS,
    tasks: heads * Math.ceil(count / layout.HASH_ROWS) * Math.ceil(projections / layout.CHUNK_KEYS),
    words: [rows.address, directions.address, result.address, heads, count, width, projections],
    inputs: [rows, directions],
    outputs: [result],
    scratchBytes: 4 * layout.GROUP_ROWS * layout.TILE_KEYS +
      4 * width * (layout.CHUNK_KEYS + layout.GROUP_ROWS),
  });
  return result;
}
