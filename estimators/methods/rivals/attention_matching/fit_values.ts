import type { MatchedKeys } from "./choose_keys.ts";
import type { ReferenceRows } from "./reference_rows.ts";

/** What values are fitted to. */
export interface ValueTask {
  /** [rows, kept]: what each kept key weighs in each row. */
  readonly shares: Float64Array;
  /** [rows, width]: exact outputs. */
  readonly output: Float32Array;
  readonly rows: number;
  readonly kept: number;
  readonly width: number;
}

/** Ridges that are tried, in units of the mean square of the columns, largest first. */
const RIDGES = [1, 1e-2, 1e-4, 1e-6];
/** What a row weighs in its own fit is less than 1 by no less than this. */
const LEAST_FREEDOM = 1e-9;

/** [rows, kept]: softmax of the kept keys with their masses. */
export function keptShares({ keys, masses }: MatchedKeys, rows: ReferenceRows): Float64Array {
  const shares = new Float64Array(rows.count * keys.length);
  for (let row = 0; row < rows.count; row++) {
    const own = shares.subarray(row * keys.length, (row + 1) * keys.length);
    let total = 0;
    keys.forEach((key, s) => total += own[s] = masses[s] * rows.powers[row * rows.keys + key]);
    if (total > 0) { for (let s = 0; s < own.length; s++) own[s] /= total; }
  }
  return shares;
}

/**
 * Values for the kept keys: their own, and a ridge regression of what these leave of the outputs, with the ridge by which rows that are left out, each
 * in turn, are answered best; none where their own values do better than that.
 *
 * @param values [kept, width]: their own.
 */
export function fitValues(task: ValueTask, values: Float32Array): Float32Array {
  const { shares, output, rows, kept, width } = task, rest = Float64Array.from(output);
  for (let row = 0; row < rows; row++) {
    for (let s = 0; s < kept; s++) {
      const share = shares[row * kept + s];
      for (let c = 0; c < width; c++) rest[row * width + c] -= share * values[s * width + c];
    }
  }
  const gram = products(shares, rows, kept);
  let mean = 0, least = 0, best: Float64Array | undefined;
  for (let s = 0; s < kept; s++) mean += gram[s * kept + s] / kept;
  for (const x of rest) least += x * x;
  for (const ridge of mean > 0 ? RIDGES : []) {
    const root = ridgeRoot(gram, kept, ridge * mean);
    const { error, correction } = tryRidge(task, rest, root);
    if (error < least) [least, best] = [error, solveBack(root, correction, kept, width)];
  }
  return best ? Float32Array.from(best, (x, at) => x + values[at]) : values;
}

/** Sharesᵀ shares, the lower triangle. */
function products(shares: Float64Array, rows: number, kept: number): Float64Array {
  const gram = new Float64Array(kept * kept);
  for (let row = 0; row < rows; row++) {
    for (let a = 0; a < kept; a++) {
      const share = shares[row * kept + a];
      if (share === 0) continue;
      for (let b = 0; b <= a; b++) gram[a * kept + b] += share * shares[row * kept + b];
    }
  }
  return gram;
}

/** The lower triangle L with L Lᵀ = gram + ridge. */
function ridgeRoot(gram: Float64Array, size: number, ridge: number): Float64Array {
  const root = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = gram[i * size + j];
      for (let t = 0; t < j; t++) rest -= root[i * size + t] * root[j * size + t];
      // No diagonal of it can be less than the ridge, but for rounding.
      root[i * size + j] = i === j ? Math.sqrt(Math.max(rest + ridge, ridge)) : rest / root[j * size + j];
    }
  }
  return root;
}

/** With U = shares L⁻ᵀ: Uᵀ rest, and the square of what is left of each row by a fit without it, (rest − U Uᵀ rest) / (1 − ‖u‖²). */
function tryRidge({ shares, rows, kept, width }: ValueTask, rest: Float64Array, root: Float64Array) {
  const solved = shares.slice(), correction = new Float64Array(kept * width);
  for (let row = 0; row < rows; row++) {
    const own = solved.subarray(row * kept, (row + 1) * kept);
    for (let i = 0; i < kept; i++) {
      let sum = own[i];
      for (let t = 0; t < i; t++) sum -= root[i * kept + t] * own[t];
      own[i] = sum / root[i * kept + i];
      for (let c = 0; c < width; c++) correction[i * width + c] += own[i] * rest[row * width + c];
    }
  }
  let error = 0;
  const left = new Float64Array(width);
  for (let row = 0; row < rows; row++) {
    let leverage = 0;
    for (let c = 0; c < width; c++) left[c] = rest[row * width + c];
    for (let s = 0; s < kept; s++) {
      const u = solved[row * kept + s];
      leverage += u * u;
      for (let c = 0; c < width; c++) left[c] -= u * correction[s * width + c];
    }
    const freedom = Math.max(LEAST_FREEDOM, 1 - leverage);
    for (let c = 0; c < width; c++) error += (left[c] / freedom) ** 2;
  }
  return { error, correction };
}

/** L⁻ᵀ of rows, in place. */
function solveBack(root: Float64Array, rows: Float64Array, size: number, width: number): Float64Array {
  for (let i = size - 1; i >= 0; i--) {
    for (let c = 0; c < width; c++) {
      const x = rows[i * width + c] /= root[i * size + i];
      for (let t = 0; t < i; t++) rows[t * width + c] -= root[i * size + t] * x;
    }
  }
  return rows;
}
