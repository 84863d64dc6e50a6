// deno-fmt-ignore-file: AssemblyScript
import { CHUNK_KEYS, PANEL } from "./layout";
import { blockStart } from "./partition";
import { copyFloats, upToEight } from "./simd";

/**
 * Lays 8 rows out as one panel [width][8], so that the micro-kernel finds one feature of 8 rows side by side.
 * Rows from `count` on are zero.
 */
export function packPanel(to: usize, rows: usize, count: u32, width: u32): void {
  const stride = (<usize> width) << 2;
  if (count < <u32> PANEL) memory.fill(to, 0, stride * PANEL);
  let row: u32 = 0;
  for (; row + 4 <= min<u32>(count, PANEL); row += 4) {
    packFour(to + (row << 2), PANEL, rows + row * stride, width);
  }
  for (; row < min<u32>(count, PANEL); ++row) {
    const from = rows + row * stride, target = to + (row << 2);
    for (let t: u32 = 0; t < width; ++t) {
      store<f32>(target + ((<usize> t * PANEL) << 2), load<f32>(from + ((<usize> t) << 2)));
    }
  }
}

/** Transposes four rows into columns whose elements lie `spacing` floats apart. */
export function packFour(to: usize, spacing: u32, rows: usize, width: u32): void {
  const stride = (<usize> width) << 2, step = (<usize> spacing) << 2;
  let first = rows, second = rows + stride, third = second + stride, fourth = third + stride;
  let t: u32 = 0;
  for (; t + 4 <= width; t += 4) {
    const a = v128.load(first), b = v128.load(second), c = v128.load(third), d = v128.load(fourth);
    const lowAB = v128.shuffle<f32>(a, b, 0, 4, 1, 5), highAB = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    const lowCD = v128.shuffle<f32>(c, d, 0, 4, 1, 5), highCD = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<f64>(lowAB, lowCD, 0, 2));
    v128.store(to + step, v128.shuffle<f64>(lowAB, lowCD, 1, 3));
    v128.store(to + 2 * step, v128.shuffle<f64>(highAB, highCD, 0, 2));
    v128.store(to + 3 * step, v128.shuffle<f64>(highAB, highCD, 1, 3));
    to += 4 * step;
    first += 16;
    second += 16;
    third += 16;
    fourth += 16;
  }
  for (; t < width; ++t) {
    store<f32>(to, load<f32>(first));
    store<f32>(to, load<f32>(second), 4);
    store<f32>(to, load<f32>(third), 8);
    store<f32>(to, load<f32>(fourth), 12);
    to += step;
    first += 4;
    second += 4;
    third += 4;
    fourth += 4;
  }
}

/** Packs keys [first, end) of one head or block into panels of 8 keys; the last panel is filled up with zeros. */
export function packKeys(to: usize, keys: usize, first: u32, end: u32, features: u32): void {
  const stride = (<usize> features) << 2;
  for (let key = first; key < end; key += PANEL) {
    packPanel(to + key * stride, keys + key * stride, end - key, features);
  }
}

/**
 * Packs values [first, end) into panels of 8 columns: [columns / 8][padded][8]. Columns from `width` on and
 * rows up to the next multiple of 8 are zero.
 */
export function packValues(to: usize, values: usize, first: u32, end: u32, width: u32, padded: u32): void {
  const stride = (<usize> width) << 2;
  const paddedEnd = upToEight(end);
  for (let column: u32 = 0; column < width; column += PANEL) {
    let target = to + (<usize> column * padded << 2) + (first * PANEL << 2);
    let from = values + first * stride + (column << 2);
    const columns = min<u32>(PANEL, width - column);
    for (let key = first; key < end; ++key) {
      if (columns === PANEL) {
        v128.store(target, v128.load(from));
        v128.store(target, v128.load(from, 16), 16);
      } else {
        v128.store(target, f32x4.splat(0));
        v128.store(target, f32x4.splat(0), 16);
        copyFloats(target, from, columns);
      }
      target += PANEL << 2;
      from += stride;
    }
    memory.fill(target, 0, <usize> (paddedEnd - end) * PANEL << 2);
  }
}

@unmanaged
class PackArguments {
  key: usize;
  value: usize;
  packedKey: usize;
  packedValue: usize;
  heads: u32;
  keys: u32;
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
  const start = blockStart(block, args.keys, args.blocks);
  const count = blockStart(block + 1, args.keys, args.blocks) - start;
  const first = (task % chunks) * CHUNK_KEYS, end = min<u32>(first + CHUNK_KEYS, count);
  if (first >= end) return;
  const row = <usize> head * args.keys + start, slot = <usize> part * args.padded;
  const features = args.features, width = args.valueFeatures;
  packKeys(args.packedKey + (slot * features << 2), args.key + (row * features << 2), first, end, features);
  const target = args.packedValue + (slot * upToEight(width) << 2);
  packValues(target, args.value + (row * width << 2), first, end, width, args.padded);
}
