import { type DeviceArray, FAR, NO_ROW } from "../backend.ts";
import type { Arguments } from "../primitives.ts";
import type { Steps } from "./steps.ts";
import { floats, floatValues, wordValues } from "./array.ts";

/** Squared distances of queries to rows of their own choice. */
export function* gatheredDistances(args: Arguments<"gatheredDistances">): Steps<DeviceArray> {
  const { heads, count, queries, width, picks } = args;
  const distances = new Float64Array(heads * queries * picks);
  yield floats(distances);
  const rows = floatValues(args.rows), query = floatValues(args.query), index = wordValues(args.index);
  for (let at = 0; at < distances.length; at++) {
    if (at % picks === 0) yield;
    if (index[at] === NO_ROW) {
      distances[at] = FAR;
      continue;
    }
    const queryRow = Math.floor(at / picks), head = Math.floor(queryRow / queries);
    const row = head * count + index[at];
    for (let t = 0; t < width; t++) {
      distances[at] += (query[queryRow * width + t] - rows[row * width + t]) ** 2;
    }
  }
}
