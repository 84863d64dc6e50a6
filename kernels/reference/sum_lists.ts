import { EMPTY } from "../backend.ts";
import type { Arguments } from "../primitives.ts";
import type { ListSums } from "../tree_primitives.ts";
import { floats, floatValues, wordValues } from "./array.ts";
import type { Steps } from "./steps.ts";
import { scatterOf } from "./scatter_of.ts";

/** What stands for the keys of each entry of each list. */
export function* sumLists(args: Arguments<"sumLists">): Steps<ListSums> {
  const { heads, centres, count, width, features, valueFeatures, most, tilted } = args;
  const keys = new Float64Array(heads * most * features),
    values = new Float64Array(heads * most * valueFeatures);
  const logWeight = new Float64Array(heads * most).fill(EMPTY);
  yield { key: floats(keys), value: floats(values), logWeight: floats(logWeight) };
  const key = floatValues(args.key), value = floatValues(args.value), rows = floatValues(args.tree.rows);
  const weights = floatValues(tilted.weights), gains = floatValues(tilted.gains);
  const logMass = floatValues(tilted.logMass), centre = floatValues(args.centre);
  const threshold = floatValues(args.threshold), first = wordValues(args.first);
  for (let at = 0; at < heads * centres; at++) {
    const head = Math.floor(at / centres),
      own = rows.subarray(head * count * width, (head + 1) * count * width);
    const opened = (j: number) => Math.fround(gains[at * count + j]) >= threshold[head];
    let entry = head * most + first[at];
    for (let begin = 0, end = 1; begin < count; begin = end++, entry++) {
      while (end < count && !opened(end)) end++;
      const mass = weights.subarray(at * count + begin, at * count + end).reduce((a, b) => a + b, 0);
      const share = (j: number) => mass > 0 ? weights[at * count + j] / mass : Number(j === begin);
      let product = 0;
      for (let c = 0; c < features; c++) {
        let mean = 0;
        for (let j = begin; j < end; j++) mean += share(j) * key[(head * count + j) * features + c];
        keys[entry * features + c] = mean;
        product += centre[at * features + c] * mean;
      }
      for (let c = 0; c < valueFeatures; c++) {
        for (let j = begin; j < end; j++) {
          values[entry * valueFeatures + c] += share(j) * value[(head * count + j) * valueFeatures + c];
        }
      }
      yield;
      if (!(mass > 0)) continue;
      const scatter = scatterOf(own, weights, at * count, begin, end, width);
      logWeight[entry] = Math.log(mass) + logMass[at] + scatter / mass / 2 - product;
    }
  }
}
