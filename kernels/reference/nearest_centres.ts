import type { DeviceArray } from "../backend.ts";
import type { Arguments } from "../primitives.ts";
import { floatValues, words } from "./array.ts";
import type { Steps } from "./steps.ts";

/** The nearest centre of each row. */
export function* nearestCentres(args: Arguments<"nearestCentres">): Steps<DeviceArray> {
  const { heads, count, width, centres } = args, labels = new Uint32Array(heads * count);
  yield words(labels);
  const rows = floatValues(args.rows), centre = floatValues(args.centre);
  for (let at = 0; at < labels.length; at++) {
    const first = Math.floor(at / count) * centres;
    let least = Infinity;
    for (let c = 0; c < centres; c++) {
      let distance = 0;
      for (let t = 0; t < width; t++) {
        distance += (rows[at * width + t] - centre[(first + c) * width + t]) ** 2;
      }
      if (distance >= least) continue;
      least = distance;
      labels[at] = c;
    }
    yield;
  }
}
