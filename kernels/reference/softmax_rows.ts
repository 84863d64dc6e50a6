import type { DeviceArray } from "../backend.ts";
import type { Arguments } from "../primitives.ts";
import { floats, floatValues } from "./array.ts";
import { innerProduct } from "./attend.ts";
import type { Steps } from "./steps.ts";

/** Softmax probabilities of few queries over all keys. */
export function* softmaxRows(args: Arguments<"softmaxRows">): Steps<DeviceArray> {
  const { heads, queries, keys, features, scale } = args;
  const probabilities = new Float64Array(heads * queries * keys);
  yield floats(probabilities);
  const query = floatValues(args.query), key = floatValues(args.key);
  for (let row = 0; row < heads * queries; row++) {
    yield;
    const head = Math.floor(row / queries);
    const logits = probabilities.subarray(row * keys, (row + 1) * keys);
    for (let j = 0; j < keys; j++) {
      logits[j] = scale * innerProduct(query, row * features, key, (head * keys + j) * features, features);
    }
    const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
    let total = 0;
    for (let j = 0; j < keys; j++) total += logits[j] = Math.exp(logits[j] - largest);
    for (let j = 0; j < keys; j++) logits[j] /= total;
  }
}
