import type { DeviceArray } from "../backend.ts";
import type { Arguments } from "../primitives.ts";
import type { Steps } from "./steps.ts";
import { floats, floatValues } from "./array.ts";

/** How much each key deserves to be sampled: see `Backend.keyImportance` for the formula. */
export function* keyImportance(args: Arguments<"keyImportance">): Steps<DeviceArray> {
  const {
    heads,
    keys,
    probes,
    counted = probes,
    valueFeatures,
    valueScale,
    columnShare,
    valueShare,
    uniformShare,
  } = args;
  const importance = new Float64Array(heads * keys);
  yield floats(importance);
  const probabilities = floatValues(args.probabilities), value = floatValues(args.value);
  const centre = floatValues(args.centre);
  for (let head = 0; head < heads; head++) {
    const size = new Float64Array(keys), column = new Float64Array(keys);
    for (let j = 0; j < keys; j++) {
      for (let c = 0; c < valueFeatures; c++) {
        const centred = value[(head * keys + j) * valueFeatures + c] - centre[head * valueFeatures + c];
        size[j] += (valueScale * centred) ** 2;
      }
      yield;
    }
    const meanSquare = size.reduce((a, b) => a + b, 0) / keys;
    for (let j = 0; j < keys; j++) {
      size[j] = Math.sqrt(size[j] + meanSquare);
      for (let i = 0; i < counted; i++) column[j] += probabilities[(head * probes + i) * keys + j] ** 2;
      column[j] = size[j] * Math.sqrt(column[j]);
      yield;
    }
    const sizeTotal = size.reduce((a, b) => a + b, 0), columnTotal = column.reduce((a, b) => a + b, 0);
    for (let j = 0; j < keys; j++) {
      importance[head * keys + j] =
        (columnTotal > 0 ? columnShare * column[j] / columnTotal : columnShare / keys) +
        (sizeTotal > 0 ? valueShare * size[j] / sizeTotal : valueShare / keys) + uniformShare / keys;
    }
  }
}
