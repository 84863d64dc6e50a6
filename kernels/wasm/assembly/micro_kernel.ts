// deno-fmt-ignore-file: AssemblyScript
import { CHAIN_FEATURES, GROUP_ROWS, PANEL, TILE_KEYS } from "../engine/layout";
import { multiplyAdd } from "./simd";

// Six rows by eight columns are twelve accumulators: with two vectors of the panel and one broadcast they fill
// the 15 vector registers that V8 hands out, and twelve independent chains hide the latency of the multiply-add.
// Named locals, since only those live in registers.

/** Bytes between the rows of a tile of logits. */
const ROW: usize = TILE_KEYS << 2;

/**
 * Logits of `rows` (6 or 4) query rows, packed [features][rows], with `panels` panels of 8 keys, packed [features][8]:
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
    if (rows === GROUP_ROWS) scoreSix(tile, from, key, panels, step, bytes, factor, first > 0);
    else scoreFour(tile, from, key, panels, step, bytes, factor, first > 0);
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
    if (rows === GROUP_ROWS) distancesOfSix(tile, from, key, panels, step, bytes, factor, first > 0);
    else distancesOfFour(tile, from, key, panels, step, bytes, factor, first > 0);
  }
}

/** One chain each of 6 rows and all keys, `bytes` of a panel long: the first of a logit is written, a later one is added. */
function scoreSix(
  tile: usize,
  query: usize,
  panel: usize,
  panels: u32,
  step: usize,
  bytes: usize,
  factor: v128,
  isLater: bool,
): void {
  for (; panels > 0; --panels) {
    let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0;
    let b0 = a0, b1 = a0, b2 = a0, b3 = a0, b4 = a0, b5 = a0;
    let from = query, at = panel;
    const end = panel + bytes;
    while (at < end) {
      const low = v128.load(at), high = v128.load(at, 16);
      let x = v128.load_splat<f32>(from);
      a0 = multiplyAdd(x, low, a0);
      b0 = multiplyAdd(x, high, b0);
      x = v128.load_splat<f32>(from, 4);
      a1 = multiplyAdd(x, low, a1);
      b1 = multiplyAdd(x, high, b1);
      x = v128.load_splat<f32>(from, 8);
      a2 = multiplyAdd(x, low, a2);
      b2 = multiplyAdd(x, high, b2);
      x = v128.load_splat<f32>(from, 12);
      a3 = multiplyAdd(x, low, a3);
      b3 = multiplyAdd(x, high, b3);
      x = v128.load_splat<f32>(from, 16);
      a4 = multiplyAdd(x, low, a4);
      b4 = multiplyAdd(x, high, b4);
      x = v128.load_splat<f32>(from, 20);
      a5 = multiplyAdd(x, low, a5);
      b5 = multiplyAdd(x, high, b5);
      at += PANEL << 2;
      from += GROUP_ROWS << 2;
    }
    if (isLater) {
      addScaled(tile, a0, b0, factor);
      addScaled(tile + ROW, a1, b1, factor);
      addScaled(tile + 2 * ROW, a2, b2, factor);
      addScaled(tile + 3 * ROW, a3, b3, factor);
      addScaled(tile + 4 * ROW, a4, b4, factor);
      addScaled(tile + 5 * ROW, a5, b5, factor);
    } else {
      storeScaled(tile, a0, b0, factor);
      storeScaled(tile + ROW, a1, b1, factor);
      storeScaled(tile + 2 * ROW, a2, b2, factor);
      storeScaled(tile + 3 * ROW, a3, b3, factor);
      storeScaled(tile + 4 * ROW, a4, b4, factor);
      storeScaled(tile + 5 * ROW, a5, b5, factor);
    }
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
): void {
  for (; panels > 0; --panels) {
    let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0;
    let b0 = a0, b1 = a0, b2 = a0, b3 = a0;
    let from = query, at = panel;
    const end = panel + bytes;
    while (at < end) {
      const low = v128.load(at), high = v128.load(at, 16);
      let x = v128.load_splat<f32>(from);
      a0 = multiplyAdd(x, low, a0);
      b0 = multiplyAdd(x, high, b0);
      x = v128.load_splat<f32>(from, 4);
      a1 = multiplyAdd(x, low, a1);
      b1 = multiplyAdd(x, high, b1);
      x = v128.load_splat<f32>(from, 8);
      a2 = multiplyAdd(x, low, a2);
      b2 = multiplyAdd(x, high, b2);
      x = v128.load_splat<f32>(from, 12);
      a3 = multiplyAdd(x, low, a3);
      b3 = multiplyAdd(x, high, b3);
      at += PANEL << 2;
      from += 16;
    }
    if (isLater) {
      addScaled(tile, a0, b0, factor);
      addScaled(tile + ROW, a1, b1, factor);
      addScaled(tile + 2 * ROW, a2, b2, factor);
      addScaled(tile + 3 * ROW, a3, b3, factor);
    } else {
      storeScaled(tile, a0, b0, factor);
      storeScaled(tile + ROW, a1, b1, factor);
      storeScaled(tile + 2 * ROW, a2, b2, factor);
      storeScaled(tile + 3 * ROW, a3, b3, factor);
    }
    tile += PANEL << 2;
    panel += step;
  }
}

/** The same with squared distances: three rows at a time, since with the differences six would not fit. */
function distancesOfSix(
  tile: usize,
  query: usize,
  panel: usize,
  panels: u32,
  step: usize,
  bytes: usize,
  factor: v128,
  isLater: bool,
): void {
  for (; panels > 0; --panels) {
    distancesOfThree(tile, query, panel, bytes, factor, isLater);
    distancesOfThree(tile + 3 * ROW, query + 12, panel, bytes, factor, isLater);
    tile += PANEL << 2;
    panel += step;
  }
}

@inline
function distancesOfThree(tile: usize, from: usize, panel: usize, bytes: usize, factor: v128, isLater: bool): void {
  let a0 = f32x4.splat(0), a1 = a0, a2 = a0, b0 = a0, b1 = a0, b2 = a0;
  const end = panel + bytes;
  while (panel < end) {
    const low = v128.load(panel), high = v128.load(panel, 16);
    let x = v128.load_splat<f32>(from);
    a0 = addSquare(x, low, a0);
    b0 = addSquare(x, high, b0);
    x = v128.load_splat<f32>(from, 4);
    a1 = addSquare(x, low, a1);
    b1 = addSquare(x, high, b1);
    x = v128.load_splat<f32>(from, 8);
    a2 = addSquare(x, low, a2);
    b2 = addSquare(x, high, b2);
    panel += PANEL << 2;
    from += GROUP_ROWS << 2;
  }
  if (isLater) {
    addScaled(tile, a0, b0, factor);
    addScaled(tile + ROW, a1, b1, factor);
    addScaled(tile + 2 * ROW, a2, b2, factor);
  } else {
    storeScaled(tile, a0, b0, factor);
    storeScaled(tile + ROW, a1, b1, factor);
    storeScaled(tile + 2 * ROW, a2, b2, factor);
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
): void {
  for (; panels > 0; --panels) {
    let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0;
    let b0 = a0, b1 = a0, b2 = a0, b3 = a0;
    let from = query, at = panel;
    const end = panel + bytes;
    while (at < end) {
      const low = v128.load(at), high = v128.load(at, 16);
      let x = v128.load_splat<f32>(from);
      a0 = addSquare(x, low, a0);
      b0 = addSquare(x, high, b0);
      x = v128.load_splat<f32>(from, 4);
      a1 = addSquare(x, low, a1);
      b1 = addSquare(x, high, b1);
      x = v128.load_splat<f32>(from, 8);
      a2 = addSquare(x, low, a2);
      b2 = addSquare(x, high, b2);
      x = v128.load_splat<f32>(from, 12);
      a3 = addSquare(x, low, a3);
      b3 = addSquare(x, high, b3);
      at += PANEL << 2;
      from += 16;
    }
    if (isLater) {
      addScaled(tile, a0, b0, factor);
      addScaled(tile + ROW, a1, b1, factor);
      addScaled(tile + 2 * ROW, a2, b2, factor);
      addScaled(tile + 3 * ROW, a3, b3, factor);
    } else {
      storeScaled(tile, a0, b0, factor);
      storeScaled(tile + ROW, a1, b1, factor);
      storeScaled(tile + 2 * ROW, a2, b2, factor);
      storeScaled(tile + 3 * ROW, a3, b3, factor);
    }
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

@inline
function addScaled(to: usize, low: v128, high: v128, factor: v128): void {
  v128.store(to, multiplyAdd(low, factor, v128.load(to)));
  v128.store(to, multiplyAdd(high, factor, v128.load(to, 16)), 16);
}

@inline
function storeScaled(to: usize, low: v128, high: v128, factor: v128): void {
  v128.store(to, f32x4.mul(low, factor));
  v128.store(to, f32x4.mul(high, factor), 16);
}

/**
 * One panel of 8 columns of 6 output rows: sums[row] = decay[row] · sums[row] + Σ_key tile[row][key] · panel[key]. The
 * tile is summed by itself, so that rounding grows with the keys of a tile and the number of tiles, not with all keys.
 */
export function accumulateSix(sums: usize, decay: usize, tile: usize, panel: usize, keys: u32): void {
  let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0;
  let b0 = a0, b1 = a0, b2 = a0, b3 = a0, b4 = a0, b5 = a0;
  const end = tile + ((<usize>keys) << 2);
  while (tile < end) {
    const low = v128.load(panel), high = v128.load(panel, 16);
    let x = v128.load_splat<f32>(tile);
    a0 = multiplyAdd(x, low, a0);
    b0 = multiplyAdd(x, high, b0);
    x = v128.load_splat<f32>(tile, ROW);
    a1 = multiplyAdd(x, low, a1);
    b1 = multiplyAdd(x, high, b1);
    x = v128.load_splat<f32>(tile, 2 * ROW);
    a2 = multiplyAdd(x, low, a2);
    b2 = multiplyAdd(x, high, b2);
    x = v128.load_splat<f32>(tile, 3 * ROW);
    a3 = multiplyAdd(x, low, a3);
    b3 = multiplyAdd(x, high, b3);
    x = v128.load_splat<f32>(tile, 4 * ROW);
    a4 = multiplyAdd(x, low, a4);
    b4 = multiplyAdd(x, high, b4);
    x = v128.load_splat<f32>(tile, 5 * ROW);
    a5 = multiplyAdd(x, low, a5);
    b5 = multiplyAdd(x, high, b5);
    panel += PANEL << 2;
    tile += 4;
  }
  addScaledPair(sums, v128.load_splat<f32>(decay), a0, b0);
  addScaledPair(sums + 32, v128.load_splat<f32>(decay, 4), a1, b1);
  addScaledPair(sums + 64, v128.load_splat<f32>(decay, 8), a2, b2);
  addScaledPair(sums + 96, v128.load_splat<f32>(decay, 12), a3, b3);
  addScaledPair(sums + 128, v128.load_splat<f32>(decay, 16), a4, b4);
  addScaledPair(sums + 160, v128.load_splat<f32>(decay, 20), a5, b5);
}

/** The same for 4 output rows. */
export function accumulateFour(sums: usize, decay: usize, tile: usize, panel: usize, keys: u32): void {
  let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0;
  let b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  const end = tile + ((<usize>keys) << 2);
  while (tile < end) {
    const low = v128.load(panel), high = v128.load(panel, 16);
    let x = v128.load_splat<f32>(tile);
    a0 = multiplyAdd(x, low, a0);
    b0 = multiplyAdd(x, high, b0);
    x = v128.load_splat<f32>(tile, ROW);
    a1 = multiplyAdd(x, low, a1);
    b1 = multiplyAdd(x, high, b1);
    x = v128.load_splat<f32>(tile, 2 * ROW);
    a2 = multiplyAdd(x, low, a2);
    b2 = multiplyAdd(x, high, b2);
    x = v128.load_splat<f32>(tile, 3 * ROW);
    a3 = multiplyAdd(x, low, a3);
    b3 = multiplyAdd(x, high, b3);
    panel += PANEL << 2;
    tile += 4;
  }
  addScaledPair(sums, v128.load_splat<f32>(decay), a0, b0);
  addScaledPair(sums + 32, v128.load_splat<f32>(decay, 4), a1, b1);
  addScaledPair(sums + 64, v128.load_splat<f32>(decay, 8), a2, b2);
  addScaledPair(sums + 96, v128.load_splat<f32>(decay, 12), a3, b3);
}

@inline
function addScaledPair(to: usize, decay: v128, low: v128, high: v128): void {
  v128.store(to, multiplyAdd(decay, v128.load(to), low));
  v128.store(to, multiplyAdd(decay, v128.load(to, 16), high), 16);
}
