import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import type { Recorder } from "../engine/recorder.ts";
import { rowTile } from "./row_tile.ts";
import { kernel } from "./rows_kernel.ts";

/** Rows minus the centre of their head. */
export function centreRows(recorder: Recorder, args: Arguments<"centreRows">): DeviceArray {
  const { rows, centre, heads, count, width } = args;
  const tile = rowTile(width, recorder.software);
  const centred = recorder.array("float", heads * count * width, "the centred rows");
  recorder.dispatch({
    kernel,
    ...tile,
    entryPoint: "centreRows",
    parameters: { heads, count, width: tile.width, picks: count, chunkRows: 0 },
    bindings: { rows, other: centre, index: undefined, result: centred },
    workgroups: Math.ceil(heads * count / tile.rows),
  });
  return centred;
}
