// deno-fmt-ignore-file: AssemblyScript
import { CHUNK_KEYS, PANEL } from "../engine/layout";
import { blockStart } from "./partition";
import { copyFloats, storeTransposed, upToEight } from "./simd";

/** Address of row i, or of the row that `index` (0 where there is none) names in its place. */
@inline
export function rowAt(rows: usize, index: usize, i: u32, stride: usize): usize {
  return rows + (index ? load<u32>(index + (<usize>i << 2)) : i) * stride;
}

/**
 * Lays rows [first, first + 8) out as one panel [width][8], so that the micro-kernel finds one feature of 8 rows
 * side by side. Rows from `end` on are zero.
 */
export function packPanel(to: usize, rows: usize, index: usize, first: u32, end: u32, width: u32): void {
  const count = min<u32>(PANEL, end - first);
  if (count < <u32>PANEL) memory.fill(to, 0, (<usize>width * PANEL) << 2);
  packColumns(to, PANEL, rows, index, first, count, width);
}

/** Transposes `count` rows into columns: feature t of row r goes to to[t · spacing + r]. */
export function packColumns(
  to: usize,
  spacing: u32,
  rows: usize,
  index: usize,
  first: u32,
  count: u32,
  width: u32,
): void {
  const stride = (<usize>width) << 2, step = (<usize>spacing) << 2;
  let row: u32 = 0;
  for (; row + 4 <= count; row += 4) {
    const a = rowAt(rows, index, first + row, stride), b = rowAt(rows, index, first + row + 1, stride);
    const c = rowAt(rows, index, first + row + 2, stride), d = rowAt(rows, index, first + row + 3, stride);
    packFour(to + (row << 2), step, a, b, c, d, width);
  }
  for (; row + 2 <= count; row += 2) {
    const a = rowAt(rows, index, first + row, stride), b = rowAt(rows, index, first + row + 1, stride);
    packTwo(to + (row << 2), step, a, b, width);
  }
  if (row < count) {
    packOne(to + (row << 2), step, rowAt(rows, index, first + row, stride), width);
  }
}

function packFour(to: usize, step: usize, a: usize, b: usize, c: usize, d: usize, width: u32): void {
  let t: u32 = 0;
  for (; t + 4 <= width; t += 4) {
    const first = v128.load(a), second = v128.load(b), third = v128.load(c), fourth = v128.load(d);
    storeTransposed(to, step, first, second, third, fourth);
    to += 4 * step;
    a += 16;
    b += 16;
    c += 16;
    d += 16;
  }
  for (; t < width; ++t) {
    store<f32>(to, load<f32>(a));
    store<f32>(to, load<f32>(b), 4);
    store<f32>(to, load<f32>(c), 8);
    store<f32>(to, load<f32>(d), 12);
    to += step;
    a += 4;
    b += 4;
    c += 4;
    d += 4;
  }
}

function packTwo(to: usize, step: usize, a: usize, b: usize, width: u32): void {
  let t: u32 = 0;
  for (; t + 4 <= width; t += 4) {
    const first = v128.load(a), second = v128.load(b);
    const low = v128.shuffle<f32>(first, second, 0, 4, 1, 5), high = v128.shuffle<f32>(first, second, 2, 6, 3, 7);
    v128.store_lane<u64>(to, low, 0);
    v128.store_lane<u64>(to + step, low, 1);
    v128.store_lane<u64>(to + 2 * step, high, 0);
    v128.store_lane<u64>(to + 3 * step, high, 1);
    to += 4 * step;
    a += 16;
    b += 16;
  }
  for (; t < width; ++t) {
    store<f32>(to, load<f32>(a));
    store<f32>(to, load<f32>(b), 4);
    to += step;
    a += 4;
    b += 4;
  }
}

function packOne(to: usize, step: usize, a: usize, width: u32): void {
  let t: u32 = 0;
  for (; t + 4 <= width; t += 4) {
    const four = v128.load(a);
    v128.store_lane<u32>(to, four, 0);
    v128.store_lane<u32>(to + step, four, 1);
    v128.store_lane<u32>(to + 2 * step, four, 2);
    v128.store_lane<u32>(to + 3 * step, four, 3);
    to += 4 * step;
    a += 16;
  }
  for (; t < width; ++t) {
    store<f32>(to, load<f32>(a));
    to += step;
    a += 4;
  }
}

/** Packs rows [first, end) from panel `to` on, 8 to a panel; the last panel is filled up with zeros. */
export function packKeys(to: usize, keys: usize, index: usize, first: u32, end: u32, features: u32): void {
  for (let key = first; key < end; key += PANEL) {
    packPanel(to, keys, index, key, end, features);
    to += (<usize>features * PANEL) << 2;
  }
}

/**
 * Packs values [first, end) from row `to` on into panels of 8 columns, `panelBytes` apart: [columns / 8][…][8].
 * Columns from `width` on and rows up to the next multiple of 8 are zero.
 */
export function packValues(
  to: usize,
  values: usize,
  index: usize,
  first: u32,
  end: u32,
  width: u32,
  panelBytes: usize,
): void {
  const stride = (<usize>width) << 2, whole = width & ~7;
  for (let row = first; row < end; ++row, to += PANEL << 2) {
    let from = rowAt(values, index, row, stride), target = to;
    for (let column: u32 = 0; column < whole; column += PANEL) {
      v128.store(target, v128.load(from));
      v128.store(target, v128.load(from, 16), 16);
      from += PANEL << 2;
      target += panelBytes;
    }
    if (whole < width) {
      v128.store(target, f32x4.splat(0));
      v128.store(target, f32x4.splat(0), 16);
      copyFloats(target, from, width - whole);
    }
  }
  const padding = (<usize>(upToEight(end - first) - (end - first)) * PANEL) << 2;
  for (let column: u32 = 0; column < width; column += PANEL, to += panelBytes) memory.fill(to, 0, padding);
}

@unmanaged
class PackArguments {
  key: usize;
  value: usize;
  /** [heads, picks] rows that are meant; 0 for all in order. */
  index: usize;
  packedKey: usize;
  packedValue: usize;
  heads: u32;
  /** Rows of one head in `key` and `value`. */
  keys: u32;
  picks: u32;
  features: u32;
  valueFeatures: u32;
  blocks: u32;
  padded: u32;
}

/** Packs one chunk of the keys and values of one block. */
export function packKeysTask(operation: usize, task: u32): void {
  const args = changetype<PackArguments>(operation);
  const chunks = (args.padded + CHUNK_KEYS - 1) / CHUNK_KEYS;
  const part = task / chunks, head = part / args.blocks, block = part % args.blocks;
  const start = blockStart(block, args.picks, args.blocks), chunk = (task % chunks) * CHUNK_KEYS;
  const first = start + chunk, end = min<u32>(first + CHUNK_KEYS, blockStart(block + 1, args.picks, args.blocks));
  if (first >= end) return;
  const features = args.features, width = args.valueFeatures, slot = <usize>part * args.padded;
  const index = args.index ? args.index + ((<usize>head * args.picks) << 2) : 0;
  const key = args.key + ((<usize>head * args.keys * features) << 2);
  packKeys(args.packedKey + (((slot + chunk) * features) << 2), key, index, first, end, features);
  const value = args.value + ((<usize>head * args.keys * width) << 2);
  const target = args.packedValue + ((slot * upToEight(width) + chunk * PANEL) << 2);
  packValues(target, value, index, first, end, width, (<usize>args.padded * PANEL) << 2);
}
