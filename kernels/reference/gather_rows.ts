import type { DeviceArray } from "../backend.ts";
import type { Arguments } from "../primitives.ts";
import type { Steps } from "./steps.ts";
import { floats, floatValues, wordValues } from "./array.ts";

/** Copies the picked rows of each head. */
export function* gatherRows(args: Arguments<"gatherRows">): Steps<DeviceArray> {
  const { heads, count, width, picks } = args;
  const gathered = new Float64Array(heads * picks * width);
  yield floats(gathered);
  const rows = floatValues(args.rows), index = wordValues(args.index);
  for (let at = 0; at < heads * picks; at++) {
    const from = (Math.floor(at / picks) * count + index[at]) * width;
    gathered.set(rows.subarray(from, from + width), at * width);
    yield;
  }
}
