import type { DeviceArray } from "../backend.ts";
import type { Arguments } from "../primitives.ts";
import type { Steps } from "./steps.ts";
import { floats, floatValues } from "./array.ts";

/** Signed sums of every so many-th column. */
export function* sketchRows(args: Arguments<"sketchRows">): Steps<DeviceArray> {
  const { heads, count, width, folded } = args;
  const sketched = new Float64Array(heads * count * folded);
  yield floats(sketched);
  const rows = floatValues(args.rows), signs = floatValues(args.signs);
  for (let row = 0; row < heads * count; row++) {
    for (let c = 0; c < width; c++) sketched[row * folded + c % folded] += signs[c] * rows[row * width + c];
    yield;
  }
}
