import type { DeviceArray } from "../../backend.ts";
import type { Recorder } from "../engine/recorder.ts";
import { rowTile } from "./row_tile.ts";
import { kernel } from "./rows_kernel.ts";

/** Rows filled up with zeros to whole vec4s; as they are if they are whole. [count, width] -> [count, 4 ⌈width/4⌉] */
export function padRows(recorder: Recorder, rows: DeviceArray, count: number, width: number): DeviceArray {
  return width % 4 === 0 ? rows : resizeRows(recorder, rows, count, width, 4 * Math.ceil(width / 4));
}

/** The inverse of {@link padRows}: [count, 4 ⌈width/4⌉] -> [count, width]. */
export function trimRows(recorder: Recorder, rows: DeviceArray, count: number, width: number): DeviceArray {
  return width % 4 === 0 ? rows : resizeRows(recorder, rows, count, 4 * Math.ceil(width / 4), width);
}

function resizeRows(
  recorder: Recorder,
  rows: DeviceArray,
  count: number,
  width: number,
  resultWidth: number,
): DeviceArray {
  const tile = rowTile(Math.max(width, resultWidth), recorder.software, "f32");
  const resized = recorder.array("float", count * resultWidth, "the padded rows");
  recorder.dispatch({
    kernel,
    ...tile,
    entryPoint: "resizeRows",
    parameters: { heads: 1, count, width, picks: resultWidth, chunkRows: 0 },
    bindings: { rows, other: undefined, index: undefined, result: resized },
    workgroups: Math.ceil(count / tile.rows),
  });
  return resized;
}
