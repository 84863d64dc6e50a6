import { MASKED } from "../../kernels/backend.ts";
import { ofHead } from "./of_head.ts";
import type { Problem } from "./problem.ts";

/** Keys of each head that no mask hides. */
export function visibleKeys({ heads, keys, logWeights }: Problem): Uint32Array {
  const visible = new Uint32Array(heads).fill(keys);
  if (!logWeights) return visible;
  for (let head = 0; head < heads; head++) {
    visible[head] = ofHead(logWeights, head, heads).reduce((sum, w) => w > MASKED ? sum + 1 : sum, 0);
  }
  return visible;
}

/** [heads, keys + 1]: visible keys before each place. */
export function visibleBefore(
  { heads, keys, logWeights }: Pick<Problem, "heads" | "keys" | "logWeights">,
): Uint32Array {
  const before = new Uint32Array(heads * (keys + 1));
  for (let head = 0; head < heads; head++) {
    for (let j = 0, at = head * (keys + 1); j < keys; j++, at++) {
      before[at + 1] = before[at] + (logWeights![head * keys + j] > MASKED ? 1 : 0);
    }
  }
  return before;
}

/** Pairs of a query and a key that causal order and mask leave, over all heads: what exact attention evaluates. */
export function countVisible(problem: Problem): number {
  const { heads, queries, keys, period, causalOffset, logWeights } = problem;
  if (causalOffset === undefined) {
    return visibleKeys(problem).reduce((sum, visible) => sum + queries * visible, 0);
  }
  const lastVisible = (i: number) => Math.min(keys - 1, i + causalOffset);
  let pairs = 0;
  for (let head = 0; head < heads; head++) {
    const mask = logWeights && ofHead(logWeights, head, heads);
    for (let i = 0, j = 0, visible = 0; i < period; i++) {
      for (const end = lastVisible(i); j <= end; j++) if (!mask || mask[j] > MASKED) visible++;
      pairs += visible;
    }
  }
  return pairs * queries / period;
}
