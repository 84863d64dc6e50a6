import type { Backend, DeviceArray } from "../../backend.ts";
import type { Kernel } from "../engine/pipelines.ts";
import type { Recorder } from "../engine/recorder.ts";
import { rowTile } from "./row_tile.ts";
import source from "./rows.wgsl" with { type: "text" };

const kernel: Kernel = { file: "rows.wgsl", source: [source], access: ["read", "read", "read", "write"] };

/** Mean of the rows of each head, in two levels so that neither sums more than about √count values. */
export function columnMean(recorder: Recorder, args: Parameters<Backend["columnMean"]>[0]): DeviceArray {
  const { rows, heads, count, width } = args;
  const tile = rowTile(width, recorder.software);
  const chunkRows = Math.ceil(Math.sqrt(count)), chunks = Math.ceil(count / chunkRows);
  const step = { kernel, ...tile, parameters: [heads, count, tile.width, chunks, chunkRows] };
  const partial = recorder.array("float", heads * chunks * width, "the partial column sums");
  recorder.dispatch({
    ...step,
    entryPoint: "partialMean",
    arrays: [rows, undefined, undefined, partial],
    workgroups: Math.ceil(heads * chunks * tile.width / 64),
  });
  const mean = recorder.array("float", heads * width, "the column means");
  recorder.dispatch({
    ...step,
    entryPoint: "columnMean",
    arrays: [rows, partial, undefined, mean],
    workgroups: Math.ceil(heads * tile.width / 64),
  });
  return mean;
}

/** Rows minus the centre of their head. */
export function centreRows(recorder: Recorder, args: Parameters<Backend["centreRows"]>[0]): DeviceArray {
  const { rows, centre, heads, count, width } = args;
  const tile = rowTile(width, recorder.software);
  const centred = recorder.array("float", heads * count * width, "the centred rows");
  recorder.dispatch({
    kernel,
    ...tile,
    entryPoint: "centreRows",
    parameters: [heads, count, tile.width, count, 0],
    arrays: [rows, centre, undefined, centred],
    workgroups: Math.ceil(heads * count / tile.rows),
  });
  return centred;
}

/** Copies the picked rows of each head. */
export function gatherRows(recorder: Recorder, args: Parameters<Backend["gatherRows"]>[0]): DeviceArray {
  const { rows, index, heads, count, width, picks } = args;
  const tile = rowTile(width, recorder.software);
  const gathered = recorder.array("float", heads * picks * width, "the gathered rows");
  recorder.dispatch({
    kernel,
    ...tile,
    entryPoint: "gatherRows",
    parameters: [heads, count, tile.width, picks, 0],
    arrays: [rows, undefined, index, gathered],
    workgroups: Math.ceil(heads * picks / tile.rows),
  });
  return gathered;
}

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
    parameters: [1, count, width, resultWidth, 0],
    arrays: [rows, undefined, undefined, resized],
    workgroups: Math.ceil(count / tile.rows),
  });
  return resized;
}
