import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import type { Kernel } from "../engine/kernel.ts";
import type { Recorder } from "../engine/recorder.ts";
import { padRows } from "./pad_rows.ts";
import { shaders } from "../shaders.generated.ts";

const kernel: Kernel = {
  file: "angular_hash.wgsl",
  source: [shaders["angular_hash.wgsl"]],
};

/** Fours of rows that one invocation hashes. */
const QUADS = 2;
/** Most hyperplanes that one invocation takes at a time. */
const MOST_BITS = 8;

/** Gray rank of the sign bits of each row against random hyperplanes. */
export function angularHash(recorder: Recorder, args: Arguments<"angularHash">): DeviceArray {
  const { rows, shift, hyperplanes, heads, count, width, projections } = args;
  const ranks = recorder.array("word", heads * count, "the hashes");
  const tiles = Math.ceil(count / (4 * QUADS));
  recorder.dispatch({
    kernel,
    definitions: { BITS: Math.min(projections, MOST_BITS), QUADS, FOUR: 4 },
    parameters: { heads, count, columns: Math.ceil(width / 4), projections, tiles, shifted: shift ? 1 : 0 },
    bindings: {
      rows: padRows(recorder, rows, heads * count, width),
      shift: shift && padRows(recorder, shift, heads, width),
      hyperplanes: padRows(recorder, hyperplanes, heads * projections, width),
      ranks,
    },
    workgroups: Math.ceil(heads * tiles / 64),
  });
  return ranks;
}
