// deno-fmt-ignore-file: AssemblyScript
import { GROUP_ROWS } from "../engine/layout";
import { packColumns } from "./pack";
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
  return group + QUERIES + ((<usize>upToEight(features) * GROUP_ROWS) << 2);
}

/** Bytes of one group. */
@inline
export function groupBytes(features: u32, valueFeatures: u32): usize {
  return QUERIES + (((<usize>upToEight(features) + upToEight(valueFeatures)) * GROUP_ROWS) << 2);
}

/** Rows of the next group: 6, or 4 where that leaves fewer lanes idle. */
@inline
export function groupRows(left: u32): u32 {
  return left <= 4 || left === 7 || left === 8 ? 4 : GROUP_ROWS;
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

/** Writes one finished row: sums divided by the total, or zeros where no key was visible. */
export function writeRow(output: usize, sums: usize, row: u32, width: u32, total: f32): void {
  const inverse = f32x4.splat(total > 0 ? 1 / total : 0);
  let from = sums + (<usize>row << 5);
  for (; width >= 8; width -= 8) {
    v128.store(output, f32x4.mul(v128.load(from), inverse));
    v128.store(output, f32x4.mul(v128.load(from, 16), inverse), 16);
    output += 32;
    from += GROUP_ROWS << 5;
  }
  if (width > 0) {
    v128.store(from, f32x4.mul(v128.load(from), inverse));
    v128.store(from, f32x4.mul(v128.load(from, 16), inverse), 16);
    copyFloats(output, from, width);
  }
}
