// deno-fmt-ignore-file: AssemblyScript
import { NEGLIGIBLE_WEIGHT } from "../../constants";
import { exponential, exponentialOf } from "./exponential";
import { logarithm } from "./logarithm";
import { largestOfLanes, sumOfLanes } from "./simd";
import { EMPTY, MASKED } from "./tile_softmax";

/** Softmax of the logits, in place or not; returns the logarithm of the sum of their exponentials. */
export function weigh(logits: usize, weights: usize, count: u32): f32 {
  const whole = count & ~3, end = logits + ((<usize>count) << 2), wholeEnd = logits + ((<usize>whole) << 2);
  let most = f32x4.splat(-f32.MAX_VALUE);
  let at = logits;
  for (; at < wholeEnd; at += 16) most = f32x4.pmax(most, v128.load(at));
  let largest = largestOfLanes(most);
  for (; at < end; at += 4) largest = max(largest, load<f32>(at));
  if (largest <= <f32>MASKED) {
    memory.fill(weights, 0, <usize>count << 2);
    return EMPTY;
  }
  let total: f64 = 0;
  let to = weights;
  const shift = f32x4.splat(largest);
  for (at = logits; at < wholeEnd; at += 16, to += 16) {
    const w = exponential(f32x4.sub(v128.load(at), shift));
    v128.store(to, w);
    total += <f64>sumOfLanes(w);
  }
  for (; at < end; at += 4, to += 4) {
    const w = exponentialOf(load<f32>(at) - largest);
    store<f32>(to, w);
    total += <f64>w;
  }
  const sum = f32x4.splat(<f32>total), least = <f32>(NEGLIGIBLE_WEIGHT * total), last = weights + ((<usize>count) << 2);
  for (to = weights; to + 16 <= last; to += 16) {
    const w = v128.load(to);
    v128.store(to, v128.and(f32x4.div(w, sum), f32x4.ge(w, f32x4.splat(least))));
  }
  for (; to < last; to += 4) store<f32>(to, load<f32>(to) < least ? 0 : load<f32>(to) / <f32>total);
  return <f32>(<f64>largest + logarithm(total));
}
