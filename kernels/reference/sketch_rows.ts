import type { DeviceArray } from "../backend.ts";
import type { Arguments } from "../primitives.ts";
import { floats, floatValues } from "./array.ts";

/** Signed sums of every so many-th column. */
export function sketchRows(args: Arguments<"sketchRows">): DeviceArray {
  const { heads, count, width, folded } = args;
  const rows = floatValues(args.rows), signs = floatValues(args.signs);
  const sketched = new Float64Array(heads * count * folded);
  for (let row = 0; row < heads * count; row++) {
    for (let c = 0; c < width; c++) sketched[row * folded + c % folded] += signs[c] * rows[row * width + c];
  }
  return floats(sketched);
}
