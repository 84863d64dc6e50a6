import type { Backend, DeviceArray } from "../backend.ts";
import type { Kernel } from "./pipelines.ts";
import type { Recorder } from "./recorder.ts";
import source from "./rows.wgsl" with { type: "text" };

const kernel: Kernel = { file: "rows.wgsl", source: [source], access: ["read", "read", "read", "write"] };

/** Rows that one workgroup of `centreRows` and `gatherRows` copies. */
const ROWS = 16;

/** Mean of the rows of each head, in two levels so that neither sums more than about √count values. */
export function columnMean(recorder: Recorder, args: Parameters<Backend["columnMean"]>[0]): DeviceArray {
  const { rows, heads, count, width } = args;
  const chunkRows = Math.ceil(Math.sqrt(count)), chunks = Math.ceil(count / chunkRows);
  const parameters = [heads, count, width, chunks, chunkRows];
  const partial = recorder.array("float", heads * chunks * width, "the partial column sums");
  recorder.dispatch({
    kernel,
    entryPoint: "partialMean",
    parameters,
    arrays: [rows, undefined, undefined, partial],
    workgroups: Math.ceil(partial.length / 64),
  });
  const mean = recorder.array("float", heads * width, "the column means");
  recorder.dispatch({
    kernel,
    entryPoint: "columnMean",
    parameters,
    arrays: [rows, partial, undefined, mean],
    workgroups: Math.ceil(mean.length / 64),
  });
  return mean;
}

/** Rows minus the centre of their head. */
export function centreRows(recorder: Recorder, args: Parameters<Backend["centreRows"]>[0]): DeviceArray {
  const { rows, centre, heads, count, width } = args;
  const centred = recorder.array("float", heads * count * width, "the centred rows");
  recorder.dispatch({
    kernel,
    entryPoint: "centreRows",
    parameters: [heads, count, width, count, 0],
    arrays: [rows, centre, undefined, centred],
    workgroups: Math.ceil(heads * count / ROWS),
  });
  return centred;
}

/** Copies the picked rows of each head. */
export function gatherRows(recorder: Recorder, args: Parameters<Backend["gatherRows"]>[0]): DeviceArray {
  const { rows, index, heads, count, width, picks } = args;
  const gathered = recorder.array("float", heads * picks * width, "the gathered rows");
  recorder.dispatch({
    kernel,
    entryPoint: "gatherRows",
    parameters: [heads, count, width, picks, 0],
    arrays: [rows, undefined, index, gathered],
    workgroups: Math.ceil(heads * picks / ROWS),
  });
  return gathered;
}

/** Rows filled up with zeros to whole vec4s: [count, width] -> [count, 4 ceil(width / 4)]; the same array where they are. */
export function padRows(recorder: Recorder, rows: DeviceArray, count: number, width: number): DeviceArray {
  if (width % 4 === 0) return rows;
  const paddedWidth = 4 * Math.ceil(width / 4);
  const padded = recorder.array("float", count * paddedWidth, "the padded rows");
  recorder.dispatch({
    kernel,
    entryPoint: "padRows",
    parameters: [1, count, width, paddedWidth, 0],
    arrays: [rows, undefined, undefined, padded],
    workgroups: Math.ceil(count / ROWS),
  });
  return padded;
}
