// deno-fmt-ignore-file: AssemblyScript
import { exponentialOf } from "./exponential";
import { CHUNK_ROWS } from "./layout";
import { logarithm } from "./logarithm";
import { multiplyAdd } from "./simd";
import { EMPTY, MASKED } from "./tile_softmax";

@unmanaged
class MergeArguments {
  firstOutput: usize;
  firstLogSumExp: usize;
  /** These four are 0 where they are not given. */
  secondOutput: usize;
  secondLogSumExp: usize;
  order: usize;
  shift: usize;
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
  const width = args.width, stride = <usize> width << 2;
  const shift = args.shift ? args.shift + head * stride : 0;
  for (let i = start; i < end; ++i) {
    const row = <usize> head * args.queries + i;
    const a = load<f32>(args.firstLogSumExp + (row << 2));
    const b = args.secondLogSumExp ? load<f32>(args.secondLogSumExp + (row << 2)) : EMPTY;
    const largest = max<f32>(a, b), empty = largest <= MASKED;
    const first = exponentialOf(a - largest), second = exponentialOf(b - largest);
    const total = first + second, inverse: f32 = empty ? 0 : 1 / total;
    const target = args.order ? <usize> head * args.queries + load<u32>(args.order + (row << 2)) : row;
    const logSumExp = empty ? EMPTY : <f32> (<f64> largest + logarithm(<f64> total));
    store<f32>(args.logSumExp + (target << 2), logSumExp);
    const secondRow = args.secondOutput ? args.secondOutput + row * stride : 0;
    mixRows(
      args.output + target * stride,
      args.firstOutput + row * stride,
      first * inverse,
      secondRow,
      second * inverse,
      shift,
      width,
    );
  }
}

/** to = a·first + b·second + shift; `second` and `shift` are 0 where there are none. */
function mixRows(to: usize, first: usize, a: f32, second: usize, b: f32, shift: usize, width: u32): void {
  const stop = (<usize> width) << 2;
  let at: usize = 0;
  for (; at + 16 <= stop; at += 16) {
    let sum = f32x4.mul(f32x4.splat(a), v128.load(first + at));
    if (second) sum = multiplyAdd(f32x4.splat(b), v128.load(second + at), sum);
    if (shift) sum = f32x4.add(sum, v128.load(shift + at));
    v128.store(to + at, sum);
  }
  for (; at < stop; at += 4) {
    let sum = a * load<f32>(first + at);
    if (second) sum += b * load<f32>(second + at);
    if (shift) sum += load<f32>(shift + at);
    store<f32>(to + at, sum);
  }
}
