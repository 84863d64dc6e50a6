import type { DeviceArray } from "../backend.ts";
import type { Arguments } from "../primitives.ts";
import type { Steps } from "./steps.ts";
import { floats, floatValues } from "./array.ts";

/** Rows minus the centre of their head. */
export function* centreRows(args: Arguments<"centreRows">): Steps<DeviceArray> {
  const { heads, count, width } = args;
  const centred = new Float64Array(heads * count * width);
  yield floats(centred);
  const rows = floatValues(args.rows), centre = floatValues(args.centre);
  for (let at = 0; at < centred.length; at++) {
    centred[at] = rows[at] - centre[Math.floor(at / (count * width)) * width + at % width];
    if (at % width === 0) yield;
  }
}
