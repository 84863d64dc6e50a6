import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import type { Kernel } from "../engine/kernel.ts";
import type { Recorder } from "../engine/recorder.ts";
import { padRows } from "./pad_rows.ts";
import { shaders } from "../shaders.generated.ts";

const products: Kernel = {
  file: "inner_products.wgsl",
  source: [shaders["inner_products.wgsl"]],
};

/** Rows, and directions, that one invocation takes. */
const TILE = 4;

/** Inner products of rows with directions. */
export function innerProducts(
  recorder: Recorder,
  args: Arguments<"innerProducts">,
): DeviceArray {
  const { rows, directions, heads, count, width, projections } = args;
  const result = recorder.array("float", heads * count * projections, "the inner products");
  const rowTiles = Math.ceil(count / TILE), directionTiles = Math.ceil(projections / TILE);
  const single = projections === 1, invocations = single ? heads * count : heads * rowTiles * directionTiles;
  recorder.dispatch({
    kernel: products,
    definitions: { AHEAD: recorder.loadsAhead },
    entryPoint: single ? "single" : "main",
    parameters: { heads, count, columns: Math.ceil(width / 4), projections, rowTiles, directionTiles },
    bindings: {
      rows: padRows(recorder, rows, heads * count, width),
      directions: padRows(recorder, directions, heads * projections, width),
      products: result,
    },
    workgroups: Math.ceil(invocations / 64),
  });
  return result;
}
