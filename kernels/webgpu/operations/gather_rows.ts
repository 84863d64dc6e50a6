import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import type { Recorder } from "../engine/recorder.ts";
import { rowTile } from "./row_tile.ts";
import { kernel } from "./rows_kernel.ts";

/** Copies the picked rows of each head. */
export function gatherRows(recorder: Recorder, args: Arguments<"gatherRows">): DeviceArray {
  const { rows, index, heads, count, width, picks } = args;
  const tile = rowTile(width, recorder.software);
  const gathered = recorder.array("float", heads * picks * width, "the gathered rows");
  recorder.dispatch({
    kernel,
    ...tile,
    entryPoint: "gatherRows",
    parameters: { heads, count, width: tile.width, picks, chunkRows: 0 },
    bindings: { rows, other: undefined, index, result: gathered },
    workgroups: Math.ceil(heads * picks / tile.rows),
  });
  return gathered;
}
