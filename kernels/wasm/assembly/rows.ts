// deno-fmt-ignore-file: AssemblyScript
import { CHUNK_ROWS, SUM_ROWS } from "../engine/layout";
import { copyFloats, multiplyAdd } from "./simd";

@unmanaged
class RowArguments {
  rows: usize;
  /** Partial sums, centre, index of the rows to copy, or signs. */
  other: usize;
  result: usize;
  heads: u32;
  count: u32;
  width: u32;
  /** Rows to copy, or columns of a sketch. */
  picks: u32;
}

/** Sums of (row − first row) over SUM_ROWS rows, [heads, chunks, width]. */
export function columnSumsTask(operation: usize, task: u32): void {
  const args = changetype<RowArguments>(operation);
  const chunks = (args.count + SUM_ROWS - 1) / SUM_ROWS, head = task / chunks, chunk = task % chunks;
  const width = args.width, stride = <usize>width << 2;
  const first = args.rows + <usize>head * args.count * stride;
  const start = first + chunk * SUM_ROWS * stride;
  const count = min<u32>(SUM_ROWS, args.count - chunk * SUM_ROWS);
  const sums = args.result + task * stride;
  let column: u32 = 0;
  for (; column + 8 <= width; column += 8) {
    const at = <usize>column << 2;
    const low = v128.load(first + at), high = v128.load(first + at, 16);
    let a = f32x4.splat(0), b = a, row = start + at;
    for (let i: u32 = 0; i < count; ++i, row += stride) {
      a = f32x4.add(a, f32x4.sub(v128.load(row), low));
      b = f32x4.add(b, f32x4.sub(v128.load(row, 16), high));
    }
    v128.store(sums + at, a);
    v128.store(sums + at, b, 16);
  }
  for (; column < width; ++column) {
    const at = <usize>column << 2, constant = load<f32>(first + at);
    let sum: f32 = 0;
    for (let i: u32 = 0, row = start + at; i < count; ++i, row += stride) sum += load<f32>(row) - constant;
    store<f32>(sums + at, sum);
  }
}

/** First row plus the mean of the partial sums, one head a task. */
export function columnMeanTask(operation: usize, head: u32): void {
  const args = changetype<RowArguments>(operation);
  const chunks = (args.count + SUM_ROWS - 1) / SUM_ROWS, stride = <usize>args.width << 2;
  const first = args.rows + <usize>head * args.count * stride;
  const sums = args.other + <usize>head * chunks * stride;
  const mean = args.result + <usize>head * stride;
  for (let column: usize = 0; column < stride; column += 4) {
    let sum: f64 = 0;
    for (let chunk: u32 = 0, at = sums + column; chunk < chunks; ++chunk, at += stride) sum += load<f32>(at);
    store<f32>(mean + column, <f32>(<f64>load<f32>(first + column) + sum / <f64>args.count));
  }
}

export function centreRowsTask(operation: usize, task: u32): void {
  const args = changetype<RowArguments>(operation);
  const chunks = (args.count + CHUNK_ROWS - 1) / CHUNK_ROWS, head = task / chunks, chunk = task % chunks;
  const stride = <usize>args.width << 2;
  const start = (<usize>head * args.count + chunk * CHUNK_ROWS) * stride;
  const end = start + min<u32>(CHUNK_ROWS, args.count - chunk * CHUNK_ROWS) * stride;
  const centre = args.other + <usize>head * stride;
  for (let row = start; row < end; row += stride) {
    subtractRow(args.result + row, args.rows + row, centre, args.width);
  }
}

/** result = row − centre. */
export function subtractRow(result: usize, row: usize, centre: usize, width: u32): void {
  const end = row + (<usize>width << 2);
  while (row + 16 <= end) {
    v128.store(result, f32x4.sub(v128.load(row), v128.load(centre)));
    result += 16;
    row += 16;
    centre += 16;
  }
  while (row < end) {
    store<f32>(result, load<f32>(row) - load<f32>(centre));
    result += 4;
    row += 4;
    centre += 4;
  }
}

export function gatherRowsTask(operation: usize, task: u32): void {
  const args = changetype<RowArguments>(operation);
  const chunks = (args.picks + CHUNK_ROWS - 1) / CHUNK_ROWS, head = task / chunks;
  const stride = <usize>args.width << 2, rows = args.rows + <usize>head * args.count * stride;
  const start = (task % chunks) * CHUNK_ROWS, end = min<u32>(args.picks, start + CHUNK_ROWS);
  let index = args.other + ((<usize>head * args.picks + start) << 2);
  let result = args.result + (<usize>head * args.picks + start) * stride;
  for (let i = start; i < end; ++i) {
    copyFloats(result, rows + load<u32>(index) * stride, args.width);
    index += 4;
    result += stride;
  }
}

export function sketchRowsTask(operation: usize, task: u32): void {
  const args = changetype<RowArguments>(operation);
  const chunks = (args.count + CHUNK_ROWS - 1) / CHUNK_ROWS, head = task / chunks, chunk = task % chunks;
  const width = args.width, folded = <usize>args.picks << 2, stride = <usize>width << 2, signs = args.other;
  const first = <usize>head * args.count + chunk * CHUNK_ROWS;
  const end = first + min<u32>(CHUNK_ROWS, args.count - chunk * CHUNK_ROWS);
  const whole = <usize>(width & ~3) << 2;
  for (let i = first; i < end; ++i) {
    const row = args.rows + i * stride, result = args.result + i * folded;
    for (let column: usize = 0; column < folded; column += 16) {
      let sum = f32x4.splat(0), at = column;
      for (; at < whole; at += folded) sum = multiplyAdd(v128.load(signs + at), v128.load(row + at), sum);
      v128.store(result + column, sum);
    }
    // Columns beyond the last whole vector.
    for (let at = whole; at < stride; at += 4) {
      const place = result + at % folded;
      store<f32>(place, load<f32>(place) + load<f32>(signs + at) * load<f32>(row + at));
    }
  }
}
