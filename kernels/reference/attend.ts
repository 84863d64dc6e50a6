import { type AttendArguments, EMPTY, MASKED, type PartialAttention } from "../backend.ts";
import { blockOf, blockStart } from "../partition.ts";
import { floats, floatValues, wordValues } from "./array.ts";

/** Softmax attention in float64, one query at a time: the formula as it is written in papers. */
export function attend(args: AttendArguments): PartialAttention {
  const { heads, queries, keys, features, valueFeatures, scale, causal, blocks, exclude } = args;
  const query = floatValues(args.query), key = floatValues(args.key), value = floatValues(args.value);
  const logWeights = args.logWeights && floatValues(args.logWeights);
  const keyBlocks = exclude && wordValues(exclude.keyBlocks);
  const output = new Float64Array(heads * queries * valueFeatures);
  const logSumExp = new Float64Array(heads * queries);
  const logits = new Float64Array(keys);

  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < queries; i++) {
      const row = head * queries + i;
      let first = 0, end = keys;
      if (blocks !== undefined) {
        const block = blockOf(i, queries, blocks);
        first = blockStart(block, keys, blocks);
        end = blockStart(block + 1, keys, blocks);
      }
      if (causal) end = Math.min(end, (i % causal.period) + causal.offset + 1);
      const ownBlock = exclude ? blockOf(i, queries, exclude.blocks) : -1;

      let largest = -Infinity;
      for (let j = first; j < end; j++) {
        const logit =
          scale * innerProduct(query, row * features, key, (head * keys + j) * features, features) +
          (logWeights ? logWeights[head * keys + j] : 0);
        const hidden = logit <= MASKED || (keyBlocks && keyBlocks[head * keys + j] === ownBlock);
        logits[j] = hidden ? -Infinity : logit;
        largest = Math.max(largest, logits[j]);
      }
      if (largest === -Infinity) {
        logSumExp[row] = EMPTY;
        continue;
      }
      let total = 0;
      for (let j = first; j < end; j++) {
        const weight = Math.exp(logits[j] - largest);
        if (weight === 0) continue;
        total += weight;
        const from = (head * keys + j) * valueFeatures;
        for (let c = 0; c < valueFeatures; c++) output[row * valueFeatures + c] += weight * value[from + c];
      }
      for (let c = 0; c < valueFeatures; c++) output[row * valueFeatures + c] /= total;
      logSumExp[row] = largest + Math.log(total);
    }
  }
  return { output: floats(output), logSumExp: floats(logSumExp) };
}

/** Inner product of two stretches of `length` values. */
export function innerProduct(
  a: Float64Array,
  aStart: number,
  b: Float64Array,
  bStart: number,
  length: number,
): number {
  let sum = 0;
  for (let t = 0; t < length; t++) sum += a[aStart + t] * b[bStart + t];
  return sum;
}
