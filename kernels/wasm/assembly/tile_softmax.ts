// deno-fmt-ignore-file: AssemblyScript
import * as constants from "../../constants";
import { TILE_KEYS } from "../engine/layout";
import { exponential, exponentialOf } from "./exponential";
import { largestOfLanes, storeTransposed, sumOfLanes } from "./simd";

/** Bytes between the rows of a tile of logits. */
const ROW: usize = TILE_KEYS << 2;

/** Logits at or below MASKED are hidden; EMPTY stands for minus infinity. */
export const MASKED: f32 = <f32>constants.MASKED;
export const EMPTY: f32 = <f32>constants.EMPTY;

/** Hides the keys of one row of a tile from `limit` on; `padded` is a multiple of 8. */
export function hideFrom(row: usize, limit: u32, padded: u32): void {
  const lanes = i32x4(0, 1, 2, 3);
  for (let key = limit & ~3; key < padded; key += 4) {
    const at = row + (<usize>key << 2);
    const visible = i32x4.lt_s(i32x4.add(lanes, i32x4.splat(key)), i32x4.splat(limit));
    v128.store(at, v128.bitselect(v128.load(at), f32x4.splat(-Infinity), visible));
  }
}

/**
 * What is added to the logits of one tile for the queries of block `own`: the logarithmic weight of the key, or minus
 * infinity where the key is hidden: by its weight, by its block, or because it lies beyond `count`.
 */
export function fillBias(bias: usize, weights: usize, keyBlocks: usize, own: u32, count: u32, padded: u32): void {
  const hidden = f32x4.splat(-Infinity);
  for (let key: u32 = 0; key < padded; key += 4) {
    const at = <usize>key << 2;
    let sum = f32x4.splat(0);
    if (weights) {
      sum = v128.load(weights + at);
      sum = v128.bitselect(sum, hidden, f32x4.gt(sum, f32x4.splat(MASKED)));
    }
    if (keyBlocks) sum = v128.bitselect(hidden, sum, i32x4.eq(v128.load(keyBlocks + at), i32x4.splat(own)));
    v128.store(bias + at, sum);
  }
  hideFrom(bias, count, padded);
}

/** Adds the bias to one row of logits and returns the largest sum, at least MASKED. */
export function addBias(row: usize, bias: usize, padded: u32): f32 {
  let a = f32x4.splat(MASKED), b = a;
  for (const end = row + (<usize>padded << 2); row < end; row += 32, bias += 32) {
    const low = f32x4.add(v128.load(row), v128.load(bias));
    const high = f32x4.add(v128.load(row, 16), v128.load(bias, 16));
    v128.store(row, low);
    v128.store(row, high, 16);
    a = f32x4.pmax(a, low);
    b = f32x4.pmax(b, high);
  }
  return largestOfLanes(f32x4.pmax(a, b));
}

/** Largest logit of one row of a tile, at least MASKED. */
export function largestOfRow(row: usize, padded: u32): f32 {
  // Starting at MASKED instead of minus infinity keeps hidden keys at the weight 0 in a row that has seen nothing else.
  let a = f32x4.splat(MASKED), b = a;
  for (const end = row + (<usize>padded << 2); row < end; row += 32) {
    a = f32x4.pmax(a, v128.load(row));
    b = f32x4.pmax(b, v128.load(row, 16));
  }
  return largestOfLanes(f32x4.pmax(a, b));
}

/**
 * Turns the logits of one row, of which `here` is the largest, into weights e^(logit − largest so far) and moves the
 * row's running figures on: `largest`, `total` and `decay` point at its numbers.
 */
export function softmaxRow(
  row: usize,
  padded: u32,
  here: f32,
  largest: usize,
  total: usize,
  decay: usize,
): void {
  const before = load<f32>(largest);
  const now = before < here ? here : before;
  const subtrahend = f32x4.splat(now);
  let a = f32x4.splat(0), b = a;
  for (const end = row + (<usize>padded << 2); row < end; row += 32) {
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
  store<f64>(total, <f64>factor * load<f64>(total) + <f64>sumOfLanes(f32x4.add(a, b)));
}

/**
 * Copies the first four rows of a tile as [keys][4]. By itself: Bun runs out of registers where four rows of weights are
 * made side by side.
 */
export function transposeFour(to: usize, tile: usize, padded: u32): void {
  for (const end = tile + (<usize>padded << 2); tile < end; tile += 16, to += 64) {
    const a = v128.load(tile), b = v128.load(tile, ROW), c = v128.load(tile, 2 * ROW), d = v128.load(tile, 3 * ROW);
    storeTransposed(to, 16, a, b, c, d);
  }
}
