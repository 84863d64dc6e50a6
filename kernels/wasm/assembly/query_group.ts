// deno-fmt-ignore-file: AssemblyScript
import { GROUP_ROWS } from "./layout";
import { packFour } from "./pack";
import { copyFloats, upToEight } from "./simd";

// State of 6 (or 4) query rows while the key tiles go by, in scratch memory: one number a row in lines of 8,
// then the packed queries [features][6], then the output sums [columns / 8][6][8].

/** First key index that a row may not see. */
export const LIMITS: usize = 0;
/** Largest logit so far. */
export const LARGEST: usize = 32;
/** Sum of the weights so far, relative to the largest. */
export const TOTALS: usize = 64;
/** Factor that moves older sums to the newest largest logit. */
export const DECAYS: usize = 96;
/** Largest of the limits. */
export const FARTHEST: usize = 128;
/** Block of the queries by `exclude`. */
export const OWN_BLOCKS: usize = 160;
export const QUERIES: usize = 192;

/** Address of the output sums. */
@inline
export function sumsOf(group: usize, features: u32): usize {
  return group + QUERIES + ((<usize> upToEight(features) * GROUP_ROWS) << 2);
}

/** Bytes of one group. */
@inline
export function groupBytes(features: u32, valueFeatures: u32): usize {
  return QUERIES + (((<usize> upToEight(features) + upToEight(valueFeatures)) * GROUP_ROWS) << 2);
}

/** Rows of the next group: 6, or 4 where that leaves fewer lanes idle. */
@inline
export function groupRows(left: u32): u32 {
  return left <= 4 || left === 7 || left === 8 ? 4 : GROUP_ROWS;
}

/** Packs `valid` query rows [features][size]; rows that a group lacks are zero. */
export function packQueries(to: usize, rows: usize, valid: u32, size: u32, features: u32): void {
  const stride = (<usize> features) << 2, step = (<usize> size) << 2;
  if (valid < size) memory.fill(to, 0, <usize> features * step);
  let row: u32 = 0;
  if (valid >= 4) {
    packFour(to, size, rows, features);
    row = 4;
  }
  if (valid === GROUP_ROWS) {
    packTwo(to + 16, step, rows + 4 * stride, features);
    row = GROUP_ROWS;
  }
  for (; row < valid; ++row) {
    const from = rows + row * stride;
    for (let t: u32 = 0; t < features; ++t) {
      store<f32>(to + t * step + (row << 2), load<f32>(from + (<usize> t << 2)));
    }
  }
}

function packTwo(to: usize, step: usize, rows: usize, features: u32): void {
  const second = (<usize> features) << 2;
  let t: u32 = 0;
  for (; t + 4 <= features; t += 4) {
    const a = v128.load(rows), b = v128.load(rows + second);
    const low = v128.shuffle<f32>(a, b, 0, 4, 1, 5), high = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    v128.store_lane<u64>(to, low, 0);
    v128.store_lane<u64>(to + step, low, 1);
    v128.store_lane<u64>(to + 2 * step, high, 0);
    v128.store_lane<u64>(to + 3 * step, high, 1);
    to += 4 * step;
    rows += 16;
  }
  for (; t < features; ++t) {
    store<f32>(to, load<f32>(rows));
    store<f32>(to, load<f32>(rows + second), 4);
    to += step;
    rows += 4;
  }
}

/** Writes one finished row: sums divided by the total, or zeros where no key was visible. */
export function writeRow(output: usize, sums: usize, row: u32, width: u32, total: f32): void {
  const inverse = f32x4.splat(total), visible = f32x4.gt(inverse, f32x4.splat(0));
  let from = sums + (<usize> row << 5);
  for (; width >= 8; width -= 8) {
    v128.store(output, v128.and(visible, f32x4.div(v128.load(from), inverse)));
    v128.store(output, v128.and(visible, f32x4.div(v128.load(from, 16), inverse)), 16);
    output += 32;
    from += GROUP_ROWS << 5;
  }
  if (width > 0) {
    v128.store(from, v128.and(visible, f32x4.div(v128.load(from), inverse)));
    v128.store(from, v128.and(visible, f32x4.div(v128.load(from, 16), inverse)), 16);
    copyFloats(output, from, width);
  }
}
