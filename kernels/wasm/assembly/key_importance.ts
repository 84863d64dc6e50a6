// deno-fmt-ignore-file: AssemblyScript
import { CHUNK_ROWS } from "../engine/layout";
import { multiplyAdd, sumOfLanes } from "./simd";

// Three passes over chunks of keys, since each needs a sum over all keys from the one before.

@unmanaged
class ImportanceArguments {
  columnShare: f64;
  valueShare: f64;
  uniformShare: f64;
  probabilities: usize;
  value: usize;
  centre: usize;
  importance: usize;
  /** [heads, keys] floats each: squared value norms, later their y; and x. */
  sizes: usize;
  columns: usize;
  /** [heads, chunks, 3] doubles: sums of the squares, of y and of x. */
  sums: usize;
  heads: u32;
  keys: u32;
  probes: u32;
  /** How many of them count. */
  counted: u32;
  valueFeatures: u32;
  valueScale: f32;
}

/** ||valueScale · (value_j − centre)||² and its sum. */
export function valueSizesTask(operation: usize, task: u32): void {
  const args = changetype<ImportanceArguments>(operation);
  const chunks = (args.keys + CHUNK_ROWS - 1) / CHUNK_ROWS, head = task / chunks;
  const start = (task % chunks) * CHUNK_ROWS, end = min<u32>(args.keys, start + CHUNK_ROWS);
  const width = args.valueFeatures, scale = f32x4.splat(args.valueScale);
  let total: f64 = 0;
  for (let key = start; key < end; ++key) {
    const index = <usize>head * args.keys + key;
    let at = args.value + (index * width << 2);
    const stop = at + (<usize>width << 2);
    let a = f32x4.splat(0), b = a, centre = args.centre + (<usize>head * width << 2);
    for (; at + 32 <= stop; at += 32, centre += 32) {
      const low = f32x4.mul(scale, f32x4.sub(v128.load(at), v128.load(centre)));
      const high = f32x4.mul(scale, f32x4.sub(v128.load(at, 16), v128.load(centre, 16)));
      a = multiplyAdd(low, low, a);
      b = multiplyAdd(high, high, b);
    }
    let size = sumOfLanes(f32x4.add(a, b));
    for (; at < stop; at += 4, centre += 4) {
      const x = args.valueScale * (load<f32>(at) - load<f32>(centre));
      size += x * x;
    }
    store<f32>(args.sizes + (index << 2), size);
    total += size;
  }
  store<f64>(args.sums + <usize>task * 24, total);
}

/** y_j, x_j and their sums; four keys at a time, the last few one by one. */
export function keySizesTask(operation: usize, task: u32): void {
  const args = changetype<ImportanceArguments>(operation);
  const chunks = (args.keys + CHUNK_ROWS - 1) / CHUNK_ROWS, head = task / chunks;
  const start = (task % chunks) * CHUNK_ROWS, end = min<u32>(args.keys, start + CHUNK_ROWS);
  const meanSquare = <f32>(sumOf(args, head, 0) / <f64>args.keys);
  const stride = <usize>args.keys << 2, firstProbe = args.probabilities + head * args.probes * stride;
  let sizeTotal: f64 = 0, columnTotal: f64 = 0;
  let key = start;
  for (; key + 4 <= end; key += 4) {
    const at = <usize>key << 2, place = head * stride + at;
    const size = f32x4.sqrt(f32x4.add(v128.load(args.sizes + place), f32x4.splat(meanSquare)));
    let squares = f32x4.splat(0);
    for (let probe: u32 = 0, from = firstProbe + at; probe < args.counted; ++probe, from += stride) {
      const probability = v128.load(from);
      squares = multiplyAdd(probability, probability, squares);
    }
    const column = f32x4.mul(size, f32x4.sqrt(squares));
    v128.store(args.sizes + place, size);
    v128.store(args.columns + place, column);
    sizeTotal += sumOfLanes(size);
    columnTotal += sumOfLanes(column);
  }
  for (; key < end; ++key) {
    const at = <usize>key << 2, place = head * stride + at;
    const size = sqrt<f32>(load<f32>(args.sizes + place) + meanSquare);
    let squares: f32 = 0;
    for (let probe: u32 = 0, from = firstProbe + at; probe < args.counted; ++probe, from += stride) {
      squares += load<f32>(from) * load<f32>(from);
    }
    const column = size * sqrt<f32>(squares);
    store<f32>(args.sizes + place, size);
    store<f32>(args.columns + place, column);
    sizeTotal += size;
    columnTotal += column;
  }
  store<f64>(args.sums + <usize>task * 24, sizeTotal, 8);
  store<f64>(args.sums + <usize>task * 24, columnTotal, 16);
}

/** The mixture of the three shares. */
export function keyImportanceTask(operation: usize, task: u32): void {
  const args = changetype<ImportanceArguments>(operation);
  const chunks = (args.keys + CHUNK_ROWS - 1) / CHUNK_ROWS, head = task / chunks;
  const start = (task % chunks) * CHUNK_ROWS, end = min<u32>(args.keys, start + CHUNK_ROWS);
  const sizeTotal = sumOf(args, head, 8), columnTotal = sumOf(args, head, 16);
  let uniform = args.uniformShare;
  if (!(columnTotal > 0)) uniform += args.columnShare;
  if (!(sizeTotal > 0)) uniform += args.valueShare;
  const perKey = uniform / <f64>args.keys;
  const perColumn = columnTotal > 0 ? args.columnShare / columnTotal : 0;
  const perSize = sizeTotal > 0 ? args.valueShare / sizeTotal : 0;
  for (let key = start; key < end; ++key) {
    const place = (<usize>head * args.keys + key) << 2;
    const mixed = perColumn * <f64>load<f32>(args.columns + place) +
      perSize * <f64>load<f32>(args.sizes + place);
    store<f32>(args.importance + place, <f32>(mixed + perKey));
  }
}

function sumOf(args: ImportanceArguments, head: u32, which: usize): f64 {
  const chunks = (args.keys + CHUNK_ROWS - 1) / CHUNK_ROWS;
  let at = args.sums + <usize>head * chunks * 24 + which, sum: f64 = 0;
  for (let chunk: u32 = 0; chunk < chunks; ++chunk, at += 24) sum += load<f64>(at);
  return sum;
}
