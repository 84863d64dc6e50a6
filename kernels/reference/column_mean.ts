import type { DeviceArray } from "../backend.ts";
import type { Arguments } from "../primitives.ts";
import type { Steps } from "./steps.ts";
import { floats, floatValues } from "./array.ts";

/** Mean of the rows of each head, as first row + mean difference from it. */
export function* columnMean(args: Arguments<"columnMean">): Steps<DeviceArray> {
  const { heads, count, width } = args;
  const mean = new Float64Array(heads * width);
  yield floats(mean);
  const rows = floatValues(args.rows);
  for (let head = 0; head < heads; head++) {
    for (let c = 0; c < width; c++) {
      const first = rows[head * count * width + c];
      let difference = 0;
      for (let i = 0; i < count; i++) difference += rows[(head * count + i) * width + c] - first;
      mean[head * width + c] = first + difference / count;
      yield;
    }
  }
}
