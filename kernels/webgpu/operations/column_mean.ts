import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import type { Recorder } from "../engine/recorder.ts";
import { rowTile } from "./row_tile.ts";
import { kernel } from "./rows_kernel.ts";

/** Mean of the rows of each head, in two levels so that neither sums more than about √count values. */
export function columnMean(recorder: Recorder, args: Arguments<"columnMean">): DeviceArray {
  const { rows, heads, count, width } = args;
  const tile = rowTile(width, recorder.software);
  const chunkRows = Math.ceil(Math.sqrt(count)), chunks = Math.ceil(count / chunkRows);
  const step = { kernel, ...tile, parameters: { heads, count, width: tile.width, picks: chunks, chunkRows } };
  const partial = recorder.array("float", heads * chunks * width, "the partial column sums");
  recorder.dispatch({
    ...step,
    entryPoint: "partialMean",
    bindings: { rows, other: undefined, index: undefined, result: partial },
    workgroups: Math.ceil(heads * chunks * tile.width / 64),
  });
  const mean = recorder.array("float", heads * width, "the column means");
  recorder.dispatch({
    ...step,
    entryPoint: "columnMean",
    bindings: { rows, other: partial, index: undefined, result: mean },
    workgroups: Math.ceil(heads * tile.width / 64),
  });
  return mean;
}
