import type { Backend, DeviceArray } from "../../backend.ts";
import * as layout from "../engine/layout.ts";
import type { Recorder, WasmArray } from "../engine/program.ts";

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
