import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import type { Kernel } from "../engine/kernel.ts";
import type { Recorder } from "../engine/recorder.ts";
import { padRows } from "./pad_rows.ts";
import { shaders } from "../shaders.generated.ts";

const kernel: Kernel = {
  file: "sketch_rows.wgsl",
  source: [shaders["sketch_rows.wgsl"]],
};

/** Rows that share the signs that an invocation loads. */
const ROWS = 8;

/** Signed sums of every so many-th column. */
export function sketchRows(recorder: Recorder, args: Arguments<"sketchRows">): DeviceArray {
  const { signs, heads, count, width, folded } = args;
  const sketched = recorder.array("float", heads * count * folded, "the sketched rows");
  const groups = Math.ceil(heads * count / ROWS);
  recorder.dispatch({
    kernel,
    definitions: { ROWS },
    parameters: { rows: heads * count, columns: Math.ceil(width / 4), folded: folded / 4 },
    bindings: { rows: padRows(recorder, args.rows, heads * count, width), signs, sketched },
    workgroups: Math.ceil(groups * folded / 4 / 64),
  });
  return sketched;
}
