// deno-fmt-ignore-file: AssemblyScript
import { GROUP_ROWS } from "../engine/layout";
import { exponentialOf } from "./exponential";
import { packColumns } from "./pack";
import { copyFloats, upToEight } from "./simd";

// State of 5 (or 4) query rows while the key tiles go by, in scratch memory: one number a row in lines of 8,
// then the packed queries [features][5], the sums of the present stretch of keys [columns / 8][5][8], and those of earlier
// ones, likewise, in f64.

/** First key index that a row may not see. */
export const LIMITS: usize = 0;
/** Largest logit so far. */
export const LARGEST: usize = 32;
/** Factor that moves the sums of older tiles to the newest largest logit. */
export const DECAYS: usize = 64;
/** Block of the queries by `exclude`. */
export const OWN_BLOCKS: usize = 96;
/** Largest logit that the sums of earlier stretches are relative to. */
export const EARLIER_LARGEST: usize = 128;
/** Largest of the limits. */
export const FARTHEST: usize = 160;
/** Whether there are earlier stretches. */
export const HAS_EARLIER: usize = 164;
/** Sum of the weights of the present stretch, relative to the largest, in f64. */
export const TOTALS: usize = 192;
/** The same of earlier stretches. */
export const EARLIER_TOTALS: usize = 256;
export const QUERIES: usize = 320;

/** Address of the sums. */
@inline
export function sumsOf(group: usize, features: u32): usize {
  return group + QUERIES + ((<usize>upToEight(features) * GROUP_ROWS) << 2);
}

/** Bytes of one group. */
@inline
export function groupBytes(features: u32, valueFeatures: u32): usize {
  return QUERIES + (((<usize>upToEight(features) + 3 * upToEight(valueFeatures)) * GROUP_ROWS) << 2);
}

/** Rows of the next group: 5, or 4 as long as not all that are left are fives. */
@inline
export function groupRows(left: u32): u32 {
  return left % GROUP_ROWS === 0 ? GROUP_ROWS : 4;
}

/** Packs `valid` query rows from `first` on as [features][size]; rows that a group lacks are zero. */
export function packQueries(
  to: usize,
  rows: usize,
  index: usize,
  first: u32,
  valid: u32,
  size: u32,
  features: u32,
): void {
  if (valid < size) memory.fill(to, 0, (<usize>features * size) << 2);
  packColumns(to, size, rows, index, first, valid, features);
}

/** Lets the `valid` rows of a group see `count` keys from now on. */
export function showKeys(group: usize, valid: u32, count: u32): void {
  for (let row: u32 = 0; row < valid; ++row) store<u32>(group + (<usize>row << 2), count, LIMITS);
  store<u32>(group, count, FARTHEST);
}

/** A group of rows that have seen no key. */
export function clearSums(group: usize, features: u32, width: u32): void {
  memory.fill(sumsOf(group, features), 0, <usize>upToEight(width) * (GROUP_ROWS << 2));
  memory.fill(group + TOTALS, 0, QUERIES - TOTALS);
  store<u32>(group, 0, HAS_EARLIER);
}

/** Adds the sums of the present stretch to those of earlier ones, and starts the next. */
export function endStretch(group: usize, features: u32, width: u32): void {
  const sums = sumsOf(group, features), bytes = <usize>upToEight(width) * (GROUP_ROWS << 2), earlier = sums + bytes;
  if (!load<u32>(group, HAS_EARLIER)) memory.fill(earlier, 0, bytes << 1);
  store<u32>(group, 1, HAS_EARLIER);
  for (let row: usize = 0; row < <usize>GROUP_ROWS; ++row) {
    const line = group + (row << 2), before = load<f32>(line, EARLIER_LARGEST), now = load<f32>(line, LARGEST);
    const decay: f64 = before === now ? 1 : <f64>exponentialOf(before - now), factor = f64x2.splat(decay);
    store<f32>(line, now, EARLIER_LARGEST);
    const total = group + (row << 3);
    store<f64>(total, decay * load<f64>(total, EARLIER_TOTALS) + load<f64>(total, TOTALS), EARLIER_TOTALS);
    store<f64>(total, 0, TOTALS);
    for (let at = row << 5; at < bytes; at += GROUP_ROWS << 5) {
      addToEarlier(earlier + (at << 1), factor, v128.load(sums + at));
      addToEarlier(earlier + (at << 1) + 32, factor, v128.load(sums + at, 16));
    }
  }
  memory.fill(sums, 0, bytes);
}

@inline
function addToEarlier(to: usize, decay: v128, four: v128): void {
  const low = f64x2.promote_low_f32x4(four), high = f64x2.promote_low_f32x4(v128.shuffle<f32>(four, four, 2, 3, 0, 1));
  v128.store(to, f64x2.add(f64x2.mul(v128.load(to), decay), low));
  v128.store(to, f64x2.add(f64x2.mul(v128.load(to, 16), decay), high), 16);
}

/** Sum of all weights of one row, earlier stretches or else the only one. */
@inline
export function totalOf(group: usize, row: u32): f64 {
  return load<f64>(group + (<usize>row << 3) + (load<u32>(group, HAS_EARLIER) ? EARLIER_TOTALS : TOTALS));
}

/** Writes one finished row: sums divided by the total, or zeros where no key was visible. */
export function writeRow(group: usize, features: u32, output: usize, row: u32, width: u32): void {
  const total = totalOf(group, row);
  const divisor = f32x4.splat(total > 0 ? <f32>total : Infinity);
  const inverse = f64x2.splat(total > 0 ? 1 / total : 0), panelBytes = GROUP_ROWS << 5;
  const isEarlier = load<u32>(group, HAS_EARLIER);
  let from = sumsOf(group, features), earlier = from + <usize>upToEight(width) * (GROUP_ROWS << 2) + (<usize>row << 6);
  from += <usize>row << 5;
  for (; ; width -= 8) {
    let low: v128, high: v128;
    if (isEarlier) {
      low = quotients(earlier, inverse);
      high = quotients(earlier + 32, inverse);
    } else {
      low = f32x4.div(v128.load(from), divisor);
      high = f32x4.div(v128.load(from, 16), divisor);
    }
    const to = width < 8 ? from : output;
    v128.store(to, low);
    v128.store(to, high, 16);
    if (width <= 8) break;
    output += 32;
    from += panelBytes;
    earlier += panelBytes << 1;
  }
  if (width < 8) copyFloats(output, from, width);
}

/** Four numbers in f64 times another one, rounded. */
@inline
function quotients(from: usize, inverse: v128): v128 {
  const low = f32x4.demote_f64x2_zero(f64x2.mul(v128.load(from), inverse));
  const high = f32x4.demote_f64x2_zero(f64x2.mul(v128.load(from, 16), inverse));
  return v128.shuffle<f32>(low, high, 0, 1, 4, 5);
}
