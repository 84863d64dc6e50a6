import { AssertionError } from "@std/assert";
import { type AttendArguments, EMPTY, MASKED } from "../kernels/backend.ts";
import { blockOf, blockStart } from "../kernels/partition.ts";

const f = Math.fround;

/** Host-side arguments of an attention problem. */
export type HostAttend =
  & Omit<AttendArguments, "query" | "key" | "value" | "logWeights" | "exclude">
  & { query: Float32Array; key: Float32Array; value: Float32Array; logWeights?: Float32Array }
  & { exclude?: { keyBlocks: Uint32Array; blocks: number } };

/** The plain formula, every operation rounded to f32: what a kernel's error is measured against. */
export function plainAttention(args: HostAttend): { output: Float32Array; logSumExp: Float32Array } {
  const { heads, queries, keys, features, valueFeatures, scale, causal, blocks, exclude } = args;
  const output = new Float32Array(heads * queries * valueFeatures),
    logSumExp = new Float32Array(heads * queries);
  const logits = new Float32Array(keys);
  for (let row = 0; row < heads * queries; row++) {
    const head = Math.floor(row / queries), i = row % queries;
    const block = blocks === undefined ? 0 : blockOf(i, queries, blocks);
    const first = blocks === undefined ? 0 : blockStart(block, keys, blocks);
    let end = blocks === undefined ? keys : blockStart(block + 1, keys, blocks);
    if (causal) end = Math.min(end, (i % causal.period) + causal.offset + 1);
    const own = exclude ? blockOf(i, queries, exclude.blocks) : -1;
    let largest = -Infinity;
    for (let j = first; j < end; j++) {
      let sum = 0;
      for (let t = 0; t < features; t++) {
        sum = f(sum + f(args.query[row * features + t] * args.key[(head * keys + j) * features + t]));
      }
      const logit = f(f(sum * f(scale)) + (args.logWeights ? args.logWeights[head * keys + j] : 0));
      const hidden = logit <= MASKED || (exclude && exclude.keyBlocks[head * keys + j] === own);
      logits[j] = hidden ? -Infinity : logit;
      largest = Math.max(largest, logits[j]);
    }
    if (largest === -Infinity) {
      logSumExp[row] = EMPTY;
      continue;
    }
    let total = 0;
    for (let j = first; j < end; j++) total = f(total + (logits[j] = f(Math.exp(f(logits[j] - largest)))));
    for (let c = 0; c < valueFeatures; c++) {
      let sum = 0;
      for (let j = first; j < end; j++) {
        sum = f(sum + f(f(logits[j] / total) * args.value[(head * keys + j) * valueFeatures + c]));
      }
      output[row * valueFeatures + c] = sum;
    }
    logSumExp[row] = f(largest + f(Math.log(total)));
  }
  return { output, logSumExp };
}

/** Largest |a − b|; Infinity if anything is not finite or lengths differ. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let largest = 0;
  for (let at = 0; at < a.length; at++) {
    const difference = Math.abs(a[at] - b[at]);
    if (!(difference <= largest)) largest = Number.isFinite(difference) ? difference : Infinity;
  }
  return largest;
}

/** Sum of the values. */
export function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += values[at];
  return sum;
}

/** Largest magnitude of the values. */
export function largestMagnitude(values: ArrayLike<number>): number {
  let largest = 0;
  for (let at = 0; at < values.length; at++) largest = Math.max(largest, Math.abs(values[at]));
  return largest;
}

/**
 * The precision rule: error at most twice that of the plain f32 formula, both against float64. One f32 unit in the
 * last place of the largest value is always allowed, since the answer itself is rounded to f32.
 */
export function assertPrecise(
  actual: ArrayLike<number>,
  plain: ArrayLike<number>,
  exact: ArrayLike<number>,
  what: string,
): void {
  const error = largestDifference(actual, exact), allowed = 2 * largestDifference(plain, exact);
  const unit = largestMagnitude(exact) * 2 ** -23;
  if (!(error <= allowed + unit)) {
    throw new AssertionError({
      message:
        `${what}: error ${error} exceeds twice the plain formula's, ${allowed}, plus one unit, ${unit}`,
    });
  }
}
