import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import type { Recorder } from "../engine/recorder.ts";
import { rowTile, TOGETHER } from "./row_tile.ts";
import { kernel } from "./rows_kernel.ts";

/** Most rows that a GPU sums up in one workgroup: what a second dispatch takes, their loops do not. */
const MOST_WHOLE = 2 ** 13;

/** Mean of the rows of each head, in two levels so that neither sums more than about √count values. */
export function columnMean(recorder: Recorder, args: Arguments<"columnMean">): DeviceArray {
  const { rows, heads, count, width } = args;
  const tile = rowTile(width, recorder.software);
  if (!recorder.software && count <= MOST_WHOLE) {
    const whole = recorder.array("float", heads * width, "the column means");
    const picks = Math.ceil(tile.width / TOGETHER[tile.element!]);
    recorder.dispatch({
      kernel,
      ...tile,
      parameters: { heads, count, width: tile.width, picks, chunkRows: count },
      bindings: { rows, other: undefined, index: undefined, result: whole },
      entryPoint: "wholeMean",
      workgroups: heads * picks,
    });
    return whole;
  }
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
