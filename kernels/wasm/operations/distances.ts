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

/** Records the distances of queries to rows of their own choice. */
export function gatheredDistances(
  recorder: Recorder,
  args: Parameters<Backend["gatheredDistances"]>[0],
): DeviceArray {
  const { heads, count, queries, width, picks } = args;
  const rows = args.rows as WasmArray, query = args.query as WasmArray, index = args.index as WasmArray;
  const result = recorder.floats(heads * queries * picks);
  recorder.record({
    code: layout.GATHERED_DISTANCES,
    tasks: heads * queries * Math.ceil(picks / layout.CHUNK_ROWS),
    words: [rows.address, query.address, index.address, result.address, heads, count, queries, width, picks],
    inputs: [rows, query, index],
    outputs: [result],
  });
  return result;
}
