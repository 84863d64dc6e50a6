// deno-fmt-ignore-file: AssemblyScript
import { CHAIN_FEATURES, GROUP_ROWS, PANEL, TILE_KEYS } from "../engine/layout";
import { multiplyAdd } from "./simd";

// Five rows by eight columns are ten accumulators, enough independent chains to hide the latency of the multiply-add;
// with two vectors of the panel, one of the rows and a product they are 14 registers. Engines hand out 13 to 15, and one
// too many costs a third of the time. Named locals, since only those live in registers.
//
// Four rows are one load, and four rotations of it meet all lanes of the panel: where an engine checks the bounds of every
// load, a broadcast for each row takes longer than the multiply-adds. So lane l of accumulator d belongs to row
// (l + d) mod 4 until `finishBlock` and `addBlockTo` put the lanes in order. The fifth row is a
// broadcast. Loops are not unrolled: the optimizer of the build would put multiply-adds of one chain side by side, where
// each waits for the one before.

/** Bytes between the rows of a tile of logits. */
const ROW: usize = TILE_KEYS << 2;
/** Bytes between the rows of a panel of sums. */
const SUMS: usize = PANEL << 2;

/**
 * Logits of `rows` (5 or 4) query rows, packed [features][rows], with `panels` panels of 8 keys, packed [features][8]:
 * tile[row][key] = scale · <query, key>. Products are summed in chains of CHAIN_FEATURES, and these are added: rounding
 * grows with the root of the length of a chain.
 */
export function scoreRows(
  rows: u32,
  tile: usize,
  query: usize,
  panel: usize,
  panels: u32,
  features: u32,
  scale: f32,
): void {
  const factor = f32x4.splat(scale), step = (<usize>features * PANEL) << 2;
  for (let first: u32 = 0; first < features; first += CHAIN_FEATURES) {
    const from = query + (<usize>(first * rows) << 2), key = panel + (<usize>(first * PANEL) << 2);
    const bytes = <usize>(min<u32>(CHAIN_FEATURES, features - first) * PANEL) << 2;
    const isLater = first > 0, isLast = features - first <= <u32>CHAIN_FEATURES;
    if (rows === GROUP_ROWS) scoreFive(tile, from, key, panels, step, bytes, factor, isLater, isLast);
    else scoreFour(tile, from, key, panels, step, bytes, factor, isLater, isLast);
  }
}

/** The same with squared distances in place of inner products. */
export function distancesOfRows(
  rows: u32,
  tile: usize,
  query: usize,
  panel: usize,
  panels: u32,
  features: u32,
  scale: f32,
): void {
  const factor = f32x4.splat(scale), step = (<usize>features * PANEL) << 2;
  for (let first: u32 = 0; first < features; first += CHAIN_FEATURES) {
    const from = query + (<usize>(first * rows) << 2), key = panel + (<usize>(first * PANEL) << 2);
    const bytes = <usize>(min<u32>(CHAIN_FEATURES, features - first) * PANEL) << 2;
    const isLater = first > 0, isLast = features - first <= <u32>CHAIN_FEATURES;
    if (rows === GROUP_ROWS) distancesOfFive(tile, from, key, panels, step, bytes, factor, isLater, isLast);
    else distancesOfFour(tile, from, key, panels, step, bytes, factor, isLater, isLast);
  }
}

/**
 * One chain each of 5 rows and all keys, `bytes` of a panel long: the first of a logit is written, a later one is added,
 * and the last leaves the tile in order.
 */
function scoreFive(
  tile: usize,
  query: usize,
  panel: usize,
  panels: u32,
  step: usize,
  bytes: usize,
  factor: v128,
  isLater: bool,
  isLast: bool,
): void {
  for (; panels > 0; --panels) {
    let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0, a4 = a0;
    let b0 = a0, b1 = a0, b2 = a0, b3 = a0, b4 = a0;
    let from = query, at = panel;
    const end = panel + bytes;
    while (at < end) {
      const low = v128.load(at), high = v128.load(at, 16);
      let x = v128.load(from);
      a0 = multiplyAdd(x, low, a0);
      b0 = multiplyAdd(x, high, b0);
      x = rotate(x);
      a1 = multiplyAdd(x, low, a1);
      b1 = multiplyAdd(x, high, b1);
      x = rotate(x);
      a2 = multiplyAdd(x, low, a2);
      b2 = multiplyAdd(x, high, b2);
      x = rotate(x);
      a3 = multiplyAdd(x, low, a3);
      b3 = multiplyAdd(x, high, b3);
      x = v128.load_splat<f32>(from, 16);
      a4 = multiplyAdd(x, low, a4);
      b4 = multiplyAdd(x, high, b4);
      at += PANEL << 2;
      from += GROUP_ROWS << 2;
    }
    finishBlock(tile, a0, a1, a2, a3, factor, isLater, isLast);
    finishBlock(tile + 16, b0, b1, b2, b3, factor, isLater, isLast);
    finishRow(tile + 4 * ROW, a4, b4, factor, isLater);
    tile += PANEL << 2;
    panel += step;
  }
}

/** The same for 4 query rows, packed [features][4]. */
function scoreFour(
  tile: usize,
  query: usize,
  panel: usize,
  panels: u32,
  step: usize,
  bytes: usize,
  factor: v128,
  isLater: bool,
  isLast: bool,
): void {
  for (; panels > 0; --panels) {
    let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0;
    let b0 = a0, b1 = a0, b2 = a0, b3 = a0;
    let from = query, at = panel;
    const end = panel + bytes;
    while (at < end) {
      const low = v128.load(at), high = v128.load(at, 16);
      let x = v128.load(from);
      a0 = multiplyAdd(x, low, a0);
      b0 = multiplyAdd(x, high, b0);
      x = rotate(x);
      a1 = multiplyAdd(x, low, a1);
      b1 = multiplyAdd(x, high, b1);
      x = rotate(x);
      a2 = multiplyAdd(x, low, a2);
      b2 = multiplyAdd(x, high, b2);
      x = rotate(x);
      a3 = multiplyAdd(x, low, a3);
      b3 = multiplyAdd(x, high, b3);
      at += PANEL << 2;
      from += 16;
    }
    finishBlock(tile, a0, a1, a2, a3, factor, isLater, isLast);
    finishBlock(tile + 16, b0, b1, b2, b3, factor, isLater, isLast);
    tile += PANEL << 2;
    panel += step;
  }
}

/** The same as `scoreFive` with squared distances. */
function distancesOfFive(
  tile: usize,
  query: usize,
  panel: usize,
  panels: u32,
  step: usize,
  bytes: usize,
  factor: v128,
  isLater: bool,
  isLast: bool,
): void {
  for (; panels > 0; --panels) {
    let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0, a4 = a0;
    let b0 = a0, b1 = a0, b2 = a0, b3 = a0, b4 = a0;
    let from = query, at = panel;
    const end = panel + bytes;
    while (at < end) {
      const low = v128.load(at), high = v128.load(at, 16);
      let x = v128.load(from);
      a0 = addSquare(x, low, a0);
      b0 = addSquare(x, high, b0);
      x = rotate(x);
      a1 = addSquare(x, low, a1);
      b1 = addSquare(x, high, b1);
      x = rotate(x);
      a2 = addSquare(x, low, a2);
      b2 = addSquare(x, high, b2);
      x = rotate(x);
      a3 = addSquare(x, low, a3);
      b3 = addSquare(x, high, b3);
      x = v128.load_splat<f32>(from, 16);
      a4 = addSquare(x, low, a4);
      b4 = addSquare(x, high, b4);
      at += PANEL << 2;
      from += GROUP_ROWS << 2;
    }
    finishBlock(tile, a0, a1, a2, a3, factor, isLater, isLast);
    finishBlock(tile + 16, b0, b1, b2, b3, factor, isLater, isLast);
    finishRow(tile + 4 * ROW, a4, b4, factor, isLater);
    tile += PANEL << 2;
    panel += step;
  }
}

/** The same for 4 query rows, packed [features][4]. */
function distancesOfFour(
  tile: usize,
  query: usize,
  panel: usize,
  panels: u32,
  step: usize,
  bytes: usize,
  factor: v128,
  isLater: bool,
  isLast: bool,
): void {
  for (; panels > 0; --panels) {
    let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0;
    let b0 = a0, b1 = a0, b2 = a0, b3 = a0;
    let from = query, at = panel;
    const end = panel + bytes;
    while (at < end) {
      const low = v128.load(at), high = v128.load(at, 16);
      let x = v128.load(from);
      a0 = addSquare(x, low, a0);
      b0 = addSquare(x, high, b0);
      x = rotate(x);
      a1 = addSquare(x, low, a1);
      b1 = addSquare(x, high, b1);
      x = rotate(x);
      a2 = addSquare(x, low, a2);
      b2 = addSquare(x, high, b2);
      x = rotate(x);
      a3 = addSquare(x, low, a3);
      b3 = addSquare(x, high, b3);
      at += PANEL << 2;
      from += 16;
    }
    finishBlock(tile, a0, a1, a2, a3, factor, isLater, isLast);
    finishBlock(tile + 16, b0, b1, b2, b3, factor, isLater, isLast);
    tile += PANEL << 2;
    panel += step;
  }
}

/** sum + (x − key)² */
@inline
function addSquare(x: v128, key: v128, sum: v128): v128 {
  const difference = f32x4.sub(x, key);
  return multiplyAdd(difference, difference, sum);
}

/** Lane l + 1 goes to lane l. */
@inline
function rotate(x: v128): v128 {
  return v128.shuffle<f32>(x, x, 1, 2, 3, 0);
}

/**
 * One panel of 8 columns of `rows` (5 or 4) output rows: sums[row] = decay[row] · sums[row] + Σ_key weight[row][key] ·
 * panel[key]. The weights of four rows stand at `weights`, [keys][4], those of the fifth at `last`. The tile is summed by
 * itself, so that rounding grows with the keys of a tile and the number of tiles, not with all keys.
 */
export function accumulateRows(
  rows: u32,
  sums: usize,
  decay: usize,
  weights: usize,
  last: usize,
  panel: usize,
  keys: u32,
): void {
  if (rows === GROUP_ROWS) accumulateFive(sums, decay, weights, last, panel, keys);
  else accumulateFour(sums, decay, weights, panel, keys);
}

function accumulateFive(sums: usize, decay: usize, weights: usize, last: usize, panel: usize, keys: u32): void {
  let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0, a4 = a0;
  let b0 = a0, b1 = a0, b2 = a0, b3 = a0, b4 = a0;
  const end = panel + <usize>keys * (PANEL << 2);
  while (panel < end) {
    const low = v128.load(panel), high = v128.load(panel, 16);
    let x = v128.load(weights);
    a0 = multiplyAdd(x, low, a0);
    b0 = multiplyAdd(x, high, b0);
    x = rotate(x);
    a1 = multiplyAdd(x, low, a1);
    b1 = multiplyAdd(x, high, b1);
    x = rotate(x);
    a2 = multiplyAdd(x, low, a2);
    b2 = multiplyAdd(x, high, b2);
    x = rotate(x);
    a3 = multiplyAdd(x, low, a3);
    b3 = multiplyAdd(x, high, b3);
    x = v128.load_splat<f32>(last);
    a4 = multiplyAdd(x, low, a4);
    b4 = multiplyAdd(x, high, b4);
    panel += PANEL << 2;
    weights += 16;
    last += 4;
  }
  addBlockTo(sums, decay, a0, a1, a2, a3);
  addBlockTo(sums + 16, decay, b0, b1, b2, b3);
  addTo(sums + 4 * SUMS, decay + 16, a4);
  addTo(sums + 4 * SUMS + 16, decay + 16, b4);
}

function accumulateFour(sums: usize, decay: usize, weights: usize, panel: usize, keys: u32): void {
  let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0;
  let b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  const end = panel + <usize>keys * (PANEL << 2);
  while (panel < end) {
    const low = v128.load(panel), high = v128.load(panel, 16);
    let x = v128.load(weights);
    a0 = multiplyAdd(x, low, a0);
    b0 = multiplyAdd(x, high, b0);
    x = rotate(x);
    a1 = multiplyAdd(x, low, a1);
    b1 = multiplyAdd(x, high, b1);
    x = rotate(x);
    a2 = multiplyAdd(x, low, a2);
    b2 = multiplyAdd(x, high, b2);
    x = rotate(x);
    a3 = multiplyAdd(x, low, a3);
    b3 = multiplyAdd(x, high, b3);
    panel += PANEL << 2;
    weights += 16;
  }
  addBlockTo(sums, decay, a0, a1, a2, a3);
  addBlockTo(sums + 16, decay, b0, b1, b2, b3);
}

/** Scales 4 × 4 numbers of the accumulators a to d, adds what earlier chains left, and stores them in four rows of a tile. */
@inline
function finishBlock(to: usize, a: v128, b: v128, c: v128, d: v128, factor: v128, isLater: bool, isLast: bool): void {
  if (isLater) {
    a = multiplyAdd(a, factor, v128.load(to));
    b = multiplyAdd(b, factor, v128.load(to + ROW));
    c = multiplyAdd(c, factor, v128.load(to + 2 * ROW));
    d = multiplyAdd(d, factor, v128.load(to + 3 * ROW));
  } else {
    a = f32x4.mul(a, factor);
    b = f32x4.mul(b, factor);
    c = f32x4.mul(c, factor);
    d = f32x4.mul(d, factor);
  }
  if (isLast) {
    const u0 = v128.shuffle<f32>(a, c, 0, 1, 6, 7), u1 = v128.shuffle<f32>(b, d, 0, 1, 6, 7);
    const u2 = v128.shuffle<f32>(c, a, 0, 1, 6, 7), u3 = v128.shuffle<f32>(d, b, 0, 1, 6, 7);
    a = v128.shuffle<f32>(u0, u3, 0, 5, 2, 7);
    b = v128.shuffle<f32>(u1, u0, 0, 5, 2, 7);
    c = v128.shuffle<f32>(u2, u1, 0, 5, 2, 7);
    d = v128.shuffle<f32>(u3, u2, 0, 5, 2, 7);
  }
  v128.store(to, a);
  v128.store(to + ROW, b);
  v128.store(to + 2 * ROW, c);
  v128.store(to + 3 * ROW, d);
}

/** The same for eight numbers of the fifth row. */
@inline
function finishRow(to: usize, a: v128, b: v128, factor: v128, isLater: bool): void {
  if (isLater) {
    a = multiplyAdd(a, factor, v128.load(to));
    b = multiplyAdd(b, factor, v128.load(to, 16));
  } else {
    a = f32x4.mul(a, factor);
    b = f32x4.mul(b, factor);
  }
  v128.store(to, a);
  v128.store(to, b, 16);
}

/** Adds them, in order, to the sums of four rows, which decay. */
@inline
function addBlockTo(to: usize, decay: usize, a: v128, b: v128, c: v128, d: v128): void {
  const u0 = v128.shuffle<f32>(a, c, 0, 1, 6, 7), u1 = v128.shuffle<f32>(b, d, 0, 1, 6, 7);
  const u2 = v128.shuffle<f32>(c, a, 0, 1, 6, 7), u3 = v128.shuffle<f32>(d, b, 0, 1, 6, 7);
  addTo(to + 0 * SUMS, decay + 0, v128.shuffle<f32>(u0, u3, 0, 5, 2, 7));
  addTo(to + 1 * SUMS, decay + 4, v128.shuffle<f32>(u1, u0, 0, 5, 2, 7));
  addTo(to + 2 * SUMS, decay + 8, v128.shuffle<f32>(u2, u1, 0, 5, 2, 7));
  addTo(to + 3 * SUMS, decay + 12, v128.shuffle<f32>(u3, u2, 0, 5, 2, 7));
}

@inline
function addTo(to: usize, decay: usize, x: v128): void {
  v128.store(to, multiplyAdd(v128.load_splat<f32>(decay), v128.load(to), x));
}
