import type { DeviceArray } from "../backend.ts";
import type { Arguments } from "../primitives.ts";
import { floats, floatValues, wordValues } from "./array.ts";

/** Copies the picked rows of each head. */
export function gatherRows(args: Arguments<"gatherRows">): DeviceArray {
  const { heads, count, width, picks } = args;
  const rows = floatValues(args.rows), index = wordValues(args.index);
  const gathered = new Float64Array(heads * picks * width);
  for (let at = 0; at < heads * picks; at++) {
    const from = (Math.floor(at / picks) * count + index[at]) * width;
    gathered.set(rows.subarray(from, from + width), at * width);
  }
  return floats(gathered);
}
