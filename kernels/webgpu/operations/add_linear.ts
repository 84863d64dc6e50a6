import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import type { Kernel } from "../engine/kernel.ts";
import type { Recorder } from "../engine/recorder.ts";
import { padRows, trimRows } from "./pad_rows.ts";
import { tileFor } from "./slope_tile.ts";
import { shaders } from "../shaders.generated.ts";

const kernel: Kernel = {
  file: "add_linear.wgsl",
  source: [shaders["add_linear.wgsl"]],
};

/** rows + offset + query · slope. */
export function addLinear(recorder: Recorder, args: Arguments<"addLinear">): DeviceArray {
  const { heads, count, valueFeatures } = args;
  const result = recorder.array(
    "float",
    heads * count * 4 * Math.ceil(valueFeatures / 4),
    "the corrected rows",
  );
  multiply(recorder, {
    ...args,
    rows: padRows(recorder, args.rows, heads * (args.sameRow ? 1 : count), valueFeatures),
    offset: padRows(recorder, args.offset, heads, valueFeatures),
  }, result);
  return trimRows(recorder, result, heads * count, valueFeatures);
}

type Product = Omit<Arguments<"addLinear">, "rows" | "offset"> & {
  readonly rows?: DeviceArray;
  readonly offset?: DeviceArray;
};

/** query · slope, added to padded rows + offset if there are any: rows that are padded as well. */
export function multiply(recorder: Recorder, args: Product, result: DeviceArray): void {
  const { rows, query, slope, offset, heads, count, features, valueFeatures } = args;
  const columns = Math.ceil(features / 4), valueColumns = Math.ceil(valueFeatures / 4);
  const tile = tileFor(recorder, heads * count);
  const groups = Math.ceil(count / tile.rows), chunks = Math.ceil(valueColumns / tile.columns);
  recorder.dispatch({
    kernel,
    definitions: { ROWS: tile.rows, COLUMNS: tile.columns, DEPTH: tile.depth, ADDED: rows ? 1 : 0 },
    parameters: { heads, count, columns, valueColumns, groups, chunks, ownRows: args.sameRow ? 0 : 1 },
    bindings: { rows, query: padRows(recorder, query, heads * count, features), slope, offset, result },
    entryPoint: "main",
    workgroups: Math.ceil(heads * groups * chunks / 64),
  });
}
