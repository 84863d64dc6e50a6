import { EMPTY, MASKED } from "../backend.ts";
import type { Arguments } from "../primitives.ts";
import { NEGLIGIBLE_WEIGHT, type TiltedKeys, TREE_BUNDLE } from "../tree_primitives.ts";
import { floats, floatValues, wordValues } from "./array.ts";
import { scatterOf } from "./scatter_of.ts";
import { groupStarts, shareGroups } from "./share_groups.ts";
import type { Steps } from "./steps.ts";

/** Weights of keys for centres, and what cutting the nodes of their tree gains. */
export function* tiltKeys(args: Arguments<"tiltKeys">): Steps<TiltedKeys> {
  const { heads, centres, count, width, tree } = args;
  const weights = new Float64Array(heads * centres * count), logMass = new Float64Array(heads * centres);
  const gains = new Float64Array(weights.length);
  yield { weights: floats(weights), logMass: floats(logMass), gains: floats(gains) };
  const logits = floatValues(args.logits), rows = floatValues(tree.rows), cuts = wordValues(tree.cuts);
  const order = wordValues(tree.order), ends = args.ends && wordValues(args.ends);
  const offsets = args.offsets && floatValues(args.offsets), ofCentre = (args.picks ?? 0) * width;
  for (let at = 0; at < logMass.length; at++) {
    const head = Math.floor(at / centres), own = weights.subarray(at * count, (at + 1) * count);
    const seen = logits.slice(at * count, (at + 1) * count);
    if (ends) seen.forEach((_, j) => order[head * count + j] >= ends[at] && (seen[j] = EMPTY));
    logMass[at] = weigh(seen, own);
    const gain = gains.subarray(at * count, (at + 1) * count);
    const rowsOfHead = rows.subarray(head * count * width, (head + 1) * count * width);
    const cutsOfHead = cuts.subarray(4 * head * count, 4 * (head + 1) * count);
    // A centre that sees nothing has nothing to share.
    const shared = offsets && logMass[at] > EMPTY
      ? shareGroups(
        own,
        rowsOfHead,
        groupStarts(cutsOfHead, count),
        offsets.subarray(at * ofCentre, (at + 1) * ofCentre),
        width,
      )
      : own;
    const todo: [cut: number, most: number][] = [[cutsOfHead[2], Infinity]];
    for (let node = todo.pop(); node; node = todo.pop()) {
      const [cut, most] = node;
      if (cut === 0) continue;
      const [begin, end, left, right] = cutsOfHead.subarray(4 * cut, 4 * cut + 4);
      const own = Math.min(most, scatterOf(rowsOfHead, shared, 0, begin, end, width));
      if (end - begin <= TREE_BUNDLE) {
        gain.fill(own, begin + 1, end);
        continue;
      }
      gain[cut] = own;
      todo.push([left, own], [right, own]);
      yield;
    }
  }
}

/** Writes the softmax of logits; returns the logarithm of the sum of their exponentials. Weights stay 0 where no key is seen. */
function weigh(logits: Float64Array, weights: Float64Array): number {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  if (largest <= MASKED) return EMPTY;
  let total = 0;
  logits.forEach((x, j) => total += weights[j] = Math.exp(x - largest));
  weights.forEach((w, j) => weights[j] = w < NEGLIGIBLE_WEIGHT * total ? 0 : w / total);
  return largest + Math.log(total);
}
