import { EMPTY, MASKED, type PartialAttention } from "../backend.ts";
import type { Arguments } from "../primitives.ts";
import { floats, floatValues } from "./array.ts";
import type { Steps } from "./steps.ts";

/** Merges two partial results over disjoint keys. */
export function* mergeAttention(args: Arguments<"mergeAttention">): Steps<PartialAttention> {
  const { heads, queries, valueFeatures } = args;
  const output = new Float64Array(heads * queries * valueFeatures);
  const logSumExp = new Float64Array(heads * queries);
  yield { output: floats(output), logSumExp: floats(logSumExp) };
  const firstOutput = floatValues(args.first.output), firstSum = floatValues(args.first.logSumExp);
  const secondOutput = floatValues(args.second.output), secondSum = floatValues(args.second.logSumExp);
  for (let row = 0; row < heads * queries; row++) {
    const a = firstSum[row], b = secondSum[row], largest = Math.max(a, b);
    yield;
    if (largest <= MASKED) {
      logSumExp[row] = EMPTY;
      continue;
    }
    const first = Math.exp(a - largest), second = Math.exp(b - largest), total = first + second;
    logSumExp[row] = largest + Math.log(total);
    for (let at = row * valueFeatures; at < (row + 1) * valueFeatures; at++) {
      output[at] = (first * firstOutput[at] + second * secondOutput[at]) / total;
    }
  }
}
