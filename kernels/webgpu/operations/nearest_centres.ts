import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import type { Kernel } from "../engine/kernel.ts";
import type { Recorder } from "../engine/recorder.ts";
import { padRows } from "./pad_rows.ts";
import { shaders } from "../shaders.generated.ts";

const kernel: Kernel = { file: "nearest_centres.wgsl", source: [shaders["nearest_centres.wgsl"]] };

/** Most centres that an invocation measures at a time. */
const MOST_CENTRES = 8;
/** Multiply-adds that each number takes as long as, on the CPU. */
const WORK = 12;

/** The nearest centre of each row. */
export function nearestCentres(recorder: Recorder, args: Arguments<"nearestCentres">): DeviceArray {
  const { heads, count, width, centres } = args;
  const labels = recorder.array("word", heads * count, "the nearest centres");
  recorder.dispatch({
    kernel,
    definitions: { CENTRES: Math.min(MOST_CENTRES, centres) },
    parameters: { heads, count, columns: Math.ceil(width / 4), centres, firstWorkgroup: 0 },
    bindings: {
      rows: padRows(recorder, args.rows, heads * count, width),
      centre: padRows(recorder, args.centre, heads * centres, width),
      labels,
    },
    workgroups: Math.ceil(heads * count / 64),
    work: WORK * heads * count * centres * width,
  });
  return labels;
}
