// deno-fmt-ignore-file: AssemblyScript
import { exponential, exponentialOf } from "./exponential";
import { largestOfLanes, sumOfLanes } from "./simd";

/** Twins of `kernels/backend.ts`: logits at or below MASKED are hidden; EMPTY stands for minus infinity. */
export const MASKED: f32 = -1e38;
export const EMPTY: f32 = -3e38;

/** Hides the keys of one row of a tile from `limit` on; `padded` is a multiple of 8. */
export function hideFrom(row: usize, limit: u32, padded: u32): void {
  const lanes = i32x4(0, 1, 2, 3);
  for (let key = limit & ~3; key < padded; key += 4) {
    const at = row + (<usize> key << 2);
    const visible = i32x4.lt_s(i32x4.add(lanes, i32x4.splat(key)), i32x4.splat(limit));
    v128.store(at, v128.bitselect(v128.load(at), f32x4.splat(EMPTY), visible));
  }
}

/** Adds the logarithmic weights to the logits; what is then not above MASKED (NaN included) is hidden. */
export function addLogWeights(row: usize, weights: usize, padded: u32): void {
  for (const end = row + (<usize> padded << 2); row < end; row += 16, weights += 16) {
    const logit = f32x4.add(v128.load(row), v128.load(weights));
    v128.store(row, v128.bitselect(logit, f32x4.splat(EMPTY), f32x4.gt(logit, f32x4.splat(MASKED))));
  }
}

/** Hides the keys whose block is `own`. */
export function hideBlock(row: usize, keyBlocks: usize, own: u32, padded: u32): void {
  for (const end = row + (<usize> padded << 2); row < end; row += 16, keyBlocks += 16) {
    const same = i32x4.eq(v128.load(keyBlocks), i32x4.splat(own));
    v128.store(row, v128.bitselect(f32x4.splat(EMPTY), v128.load(row), same));
  }
}

/** Largest logit of one row of a tile, at least MASKED. */
export function largestOfRow(row: usize, padded: u32): f32 {
  // MASKED is above EMPTY, so that hidden keys keep the weight 0 even in a row that has seen nothing else.
  let a = f32x4.splat(MASKED), b = a;
  for (const end = row + (<usize> padded << 2); row < end; row += 32) {
    a = f32x4.pmax(a, v128.load(row));
    b = f32x4.pmax(b, v128.load(row, 16));
  }
  return largestOfLanes(f32x4.pmax(a, b));
}

/**
 * Turns the logits of one row into weights e^(logit − largest) and moves its running figures on:
 * `largest`, `total` and `decay` point at this row's numbers.
 */
export function softmaxRow(row: usize, padded: u32, largest: usize, total: usize, decay: usize): void {
  const before = load<f32>(largest), here = largestOfRow(row, padded);
  const now = before < here ? here : before;
  const subtrahend = f32x4.splat(now);
  let a = f32x4.splat(0), b = a;
  for (const end = row + (<usize> padded << 2); row < end; row += 32) {
    const low = exponential(f32x4.sub(v128.load(row), subtrahend));
    const high = exponential(f32x4.sub(v128.load(row, 16), subtrahend));
    v128.store(row, low);
    v128.store(row, high, 16);
    a = f32x4.add(a, low);
    b = f32x4.add(b, high);
  }
  const factor: f32 = before === now ? 1 : exponentialOf(before - now);
  store<f32>(largest, now);
  store<f32>(decay, factor);
  store<f32>(total, factor * load<f32>(total) + sumOfLanes(f32x4.add(a, b)));
}
