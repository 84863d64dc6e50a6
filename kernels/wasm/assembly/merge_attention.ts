// deno-fmt-ignore-file: AssemblyScript
import { exponentialOf } from "./exponential";
import { CHUNK_ROWS } from "../engine/layout";
import { logarithm } from "./logarithm";
import { multiplyAdd } from "./simd";
import { EMPTY, MASKED } from "./tile_softmax";

@unmanaged
class MergeArguments {
  firstOutput: usize;
  firstLogSumExp: usize;
  secondOutput: usize;
  secondLogSumExp: usize;
  output: usize;
  logSumExp: usize;
  heads: u32;
  queries: u32;
  width: u32;
}

export function mergeAttentionTask(operation: usize, task: u32): void {
  const args = changetype<MergeArguments>(operation);
  const chunks = (args.queries + CHUNK_ROWS - 1) / CHUNK_ROWS, head = task / chunks;
  const start = (task % chunks) * CHUNK_ROWS, end = min<u32>(args.queries, start + CHUNK_ROWS);
  const width = args.width, stride = <usize>width << 2, base = <usize>head * args.queries;
  for (let row = base + start; row < base + end; ++row) {
    const a = load<f32>(args.firstLogSumExp + (row << 2)), b = load<f32>(args.secondLogSumExp + (row << 2));
    const largest = max<f32>(a, b), empty = largest <= MASKED;
    // One of the two exponentials is that of zero.
    const smaller = exponentialOf(min<f32>(a, b) - largest), total: f32 = smaller + 1;
    const inverse: f32 = empty ? 0 : 1 / total, other = smaller * inverse;
    const logSumExp = empty ? EMPTY : <f32>(<f64>largest + logarithm(<f64>total));
    store<f32>(args.logSumExp + (row << 2), logSumExp);
    const firstWeight = a < b ? other : inverse, secondWeight = a < b ? inverse : other, at = row * stride;
    mixRows(args.output + at, args.firstOutput + at, firstWeight, args.secondOutput + at, secondWeight, width);
  }
}

/** to = a·first + b·second. */
@inline
function mixRows(to: usize, first: usize, a: f32, second: usize, b: f32, width: u32): void {
  const stop = (<usize>width) << 2, firstWeight = f32x4.splat(a), secondWeight = f32x4.splat(b);
  let at: usize = 0;
  for (; at + 16 <= stop; at += 16) {
    const rest = f32x4.mul(secondWeight, v128.load(second + at));
    v128.store(to + at, multiplyAdd(firstWeight, v128.load(first + at), rest));
  }
  for (; at < stop; at += 4) store<f32>(to + at, a * load<f32>(first + at) + b * load<f32>(second + at));
}
