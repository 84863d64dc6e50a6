import type { Backend, DeviceArray } from "../backend.ts";
import { blockStart } from "../partition.ts";
import { multiplyHigh, randomWord } from "../random.ts";
import { floats, floatValues, words } from "./array.ts";
import type { Steps } from "./steps.ts";

/** How much each key deserves to be sampled: see `Backend.keyImportance` for the formula. */
export function* keyImportance(args: Parameters<Backend["keyImportance"]>[0]): Steps<DeviceArray> {
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

/** Stratified sampling in exact integer arithmetic: see `Backend.sampleKeys`. */
export function* sampleKeys(
  args: Parameters<Backend["sampleKeys"]>[0],
): Steps<{ index: DeviceArray; logWeight: DeviceArray }> {
  const { heads, keys, samples, seed, purpose, firstStream } = args;
  const index = new Uint32Array(heads * samples), logWeight = new Float64Array(heads * samples);
  yield { index: words(index), logWeight: floats(logWeight) };
  const importance = floatValues(args.importance);
  for (let head = 0; head < heads; head++) {
    const own = importance.subarray(head * keys, (head + 1) * keys);
    const total = own.reduce((a, b) => a + b, 0);
    const weights = own.map((x) => 1 + (total > 0 ? Math.floor(x * (2 ** 30 / total)) : 0));
    const weightTotal = weights.reduce((a, b) => a + b, 0);
    let key = 0, below = 0;
    for (let i = 0; i < samples; i++) {
      const start = blockStart(i, weightTotal, samples),
        size = blockStart(i + 1, weightTotal, samples) - start;
      const target = start + multiplyHigh(randomWord(seed, purpose, firstStream + head, i), size);
      while (below + weights[key] <= target) below += weights[key++];
      index[head * samples + i] = key;
      logWeight[head * samples + i] = Math.log(weightTotal / samples / weights[key]);
      yield;
    }
  }
}
