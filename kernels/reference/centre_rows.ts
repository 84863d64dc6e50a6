import type { DeviceArray } from "../backend.ts";
import type { Arguments } from "../primitives.ts";
import { floats, floatValues } from "./array.ts";

/** Rows minus the centre of their head. */
export function centreRows(args: Arguments<"centreRows">): DeviceArray {
  const { heads, count, width } = args;
  const rows = floatValues(args.rows), centre = floatValues(args.centre);
  return floats(
    Float64Array.from(
      { length: heads * count * width },
      (_, at) => rows[at] - centre[Math.floor(at / (count * width)) * width + at % width],
    ),
  );
}
