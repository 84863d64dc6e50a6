import { type Backend, EMPTY, MASKED, type PartialAttention } from "../backend.ts";
import { floats, floatValues, wordValues } from "./array.ts";

/** Merges two partial results over disjoint keys, undoes the sort and adds the mean of the values back. */
export function mergeAttention(args: Parameters<Backend["mergeAttention"]>[0]): PartialAttention {
  const { heads, queries, valueFeatures } = args;
  const output = new Float64Array(heads * queries * valueFeatures);
  const logSumExp = new Float64Array(heads * queries);
  const order = args.order && wordValues(args.order), shift = args.shift && floatValues(args.shift);
  const firstOutput = floatValues(args.first.output), firstSum = floatValues(args.first.logSumExp);
  const secondOutput = args.second && floatValues(args.second.output);
  const secondSum = args.second && floatValues(args.second.logSumExp);
  for (let row = 0; row < heads * queries; row++) {
    const head = Math.floor(row / queries);
    const a = firstSum[row], b = secondSum ? secondSum[row] : EMPTY;
    const largest = Math.max(a, b);
    const empty = largest <= MASKED;
    const total = Math.exp(a - largest) + Math.exp(b - largest);
    const firstShare = empty ? 0 : Math.exp(a - largest) / total;
    const secondShare = empty ? 0 : Math.exp(b - largest) / total;
    const target = order ? head * queries + order[row] : row;
    logSumExp[target] = empty ? EMPTY : largest + Math.log(total);
    for (let c = 0; c < valueFeatures; c++) {
      output[target * valueFeatures + c] = firstShare * firstOutput[row * valueFeatures + c] +
        (secondOutput ? secondShare * secondOutput[row * valueFeatures + c] : 0) +
        (shift ? shift[head * valueFeatures + c] : 0);
    }
  }
  return { output: floats(output), logSumExp: floats(logSumExp) };
}
