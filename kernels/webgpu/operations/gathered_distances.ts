import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import type { Kernel } from "../engine/kernel.ts";
import type { Recorder } from "../engine/recorder.ts";
import { padRows } from "./pad_rows.ts";
import { shaders } from "../shaders.generated.ts";

const distances: Kernel = {
  file: "gathered_distances.wgsl",
  source: [shaders["gathered_distances.wgsl"]],
};

/** Squared distances of queries to rows of their own choice. */
export function gatheredDistances(
  recorder: Recorder,
  args: Arguments<"gatheredDistances">,
): DeviceArray {
  const { rows, query, index, heads, count, queries, width, picks } = args;
  const result = recorder.array("float", heads * queries * picks, "the distances");
  recorder.dispatch({
    kernel: distances,
    parameters: { heads, count, queries, columns: Math.ceil(width / 4), picks },
    bindings: {
      rows: padRows(recorder, rows, heads * count, width),
      query: padRows(recorder, query, heads * queries, width),
      index,
      distances: result,
    },
    workgroups: Math.ceil(result.length / 64),
  });
  return result;
}
