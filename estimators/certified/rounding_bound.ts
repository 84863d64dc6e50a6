import { type Backend, MASKED } from "../../kernels/backend.ts";
import { MERGE_ROUNDINGS } from "../../kernels/rounding.ts";
import { mergesOfKeys } from "../core/exact.ts";
import type { Problem } from "../core/problem.ts";
import { squaredLength } from "../linear_algebra/lower_operator_norm.ts";
import { squaredRow } from "../linear_algebra/squared_row.ts";

/**
 * How far exact attention on a device may be from attention in real numbers. A row of the output is Σ_j P̂_ij v_j (1 + θ)
 * + underflow, P̂ some stochastic matrix, so that it errs by at most
 *   weights[i] · (radius of the values about any centre) + sums · (largest length of a value) + least.
 */
export interface RoundingBounds {
  /** [heads · queries]: bound on Σ_j |P̂_ij − P_ij|, at most 2. */
  readonly weights: Float64Array;
  /** Relative error of a weighted sum of numbers, in the weighted sum of their magnitudes. */
  readonly sums: number;
  /** Absolute error of a number of the output: underflow. */
  readonly least: number;
}

/** Smallest normal f32. */
const SMALLEST = 2 ** -126;
/** Largest share, against the largest weight 1, of a weight below exp(−87), which kernels leave out. */
const LEFT_OUT = 2 ** -125;
/** Half floats of keys that are all smaller than 2^-80 are not brought nearer to 1; and no half float is larger than that. */
const TINY_KEYS = 2 ** -108, LARGEST_HALF = 2 ** 15;
/** The unit is no smaller than this part of the longest key, and larger by no more than heads that share it may differ. */
const UNITS_OF_LARGEST = 2 ** 20;
/** Covers products of errors, and the float64 arithmetic of the bound itself. */
const SECOND_ORDER = 1.01;

/**
 * Bounds the rounding errors of exact attention a priori (Higham, Accuracy and Stability of Numerical Algorithms, 2nd
 * ed., §3.1, §3.5 and §4.2; docs/theory.md §8). Every logit errs by at most a + b·gap, its gap being how far it lies below the largest
 * of its row: since the mean gap under softmax is at most ln n_k, P̂ is within a + 2b(ln n_k + 2a)/(1 − b) of P in the sum
 * of magnitudes. Where keys and values are held in half floats, a has what rounded keys change, and the sums what rounded values do.
 *
 * @param problem As it goes to `exactAttention`.
 */
export function roundingBounds(backend: Backend, problem: Problem): RoundingBounds {
  const { heads, queries, keys, features, valueFeatures, scale } = problem;
  const rounding = backend.attendRounding({ features, keys, halved: problem.halves !== undefined });
  const { unit, underflow, stored, storedLeast } = rounding;
  const merges = mergesOfKeys(backend, problem);
  const size = Math.abs(scale), logKeys = Math.log(keys);
  const weights = new Float64Array(heads * queries);
  // A scale that is no normal f32 may become 0 or infinite on the device.
  const isNormal = (size: number) => size === 0 || (size >= SMALLEST && size < 2 ** 127);
  for (let head = 0; head < heads; head++) {
    const longestKey = Math.sqrt(largestSquare(problem.key, head * keys, keys, features, problem.logWeights));
    const { deepest, shared } = sharedTerm(problem, head, longestKey);
    const heaviest = problem.queryCentre ? 0 : largestWeight(problem, head);
    // No key moves farther than this; no number of it is larger than its length.
    const movedKey = (stored + storedLeast * Math.sqrt(features)) * longestKey +
      (stored > 0 ? TINY_KEYS * Math.sqrt(features) : 0);
    // The unit of half floats is made part of the scale.
    const representable = isNormal(size) && (stored === 0 || isNormal(size * longestKey / UNITS_OF_LARGEST));
    for (let row = head * queries; row < (head + 1) * queries; row++) {
      const queryLength = Math.sqrt(squaredRow(problem.query, row * features, features));
      const largestProduct = size * queryLength * longestKey;
      // Products, and one rounding each for moving keys and queries; numbers that underflow; the shared logits.
      let fixed = accumulated(rounding.product + 2, unit) * largestProduct +
        underflow * (1 + size) * (features + Math.sqrt(features) * (queryLength + longestKey)) + shared;
      if (stored > 0) fixed += size * queryLength * movedKey + underflow * features * LARGEST_HALF;
      // Every logit less the largest, and the exponential of that.
      let perGap = unit + rounding.exponentialPerUnit;
      if (problem.queryCentre) {
        // |shared logit| <= gap + 2 largestProduct + depth, and both it and its sum with the product are rounded.
        fixed += unit * (5 * largestProduct + 2 * deepest(row));
        perGap += 2 * unit;
      } else if (heaviest > 0) {
        // A weight is rounded to f32 on every device, and so is its sum with the product by the device.
        fixed += 2 ** -24 * heaviest + unit * (largestProduct + heaviest);
      }
      fixed += (rounding.exponential + unit) * (1 + rounding.rescalings);
      if (merges > 0) {
        const logSum = 3 * largestProduct + deepest(row) + heaviest + logKeys;
        fixed += merges * (rounding.exponential + unit * (2 * logSum + 4 * (1 + logKeys)));
        perGap += merges * (2 * unit + rounding.exponentialPerUnit);
      }
      const moved = fixed + 2 * perGap * (logKeys + 2 * fixed) / (1 - perGap) + 2 * keys * LEFT_OUT;
      weights[row] = representable && moved < 1 ? Math.min(2, SECOND_ORDER * moved) : 2;
    }
  }
  const counted = rounding.sum + MERGE_ROUNDINGS * merges;
  return {
    weights,
    sums: SECOND_ORDER *
      (accumulated(counted, unit) + rounding.output + stored + storedLeast * Math.sqrt(valueFeatures)),
    least: underflow * (counted + 2),
  };
}

/** γ_n = n u/(1 − n u): the relative error of n roundings. */
function accumulated(count: number, unit: number): number {
  return count * unit < 1 ? count * unit / (1 - count * unit) : Infinity;
}

/**
 * The logits that all queries share: what their float64 sums may err by, and by how much the largest that a row sees lies
 * below the largest of all, which is 0.
 */
function sharedTerm(
  { queries, keys, features, period, scale, causalOffset, logWeights, queryCentre }: Problem,
  head: number,
  longestKey: number,
): { shared: number; deepest: (row: number) => number } {
  if (!queryCentre) return { shared: 0, deepest: () => 0 };
  const length = Math.sqrt(squaredLength(queryCentre.subarray(head * features, (head + 1) * features)));
  // Keys moved in f32 are within a unit of those moved in float64.
  const shared = (features + 4) * 2 ** -52 * Math.abs(scale) * length * longestKey * (1 + 2 ** -20);
  if (causalOffset === undefined) return { shared, deepest: () => 0 };
  const largest = new Float64Array(keys);
  let most = -Infinity;
  for (let j = 0; j < keys; j++) {
    const weight = logWeights![head * keys + j];
    if (weight > MASKED) most = Math.max(most, weight);
    largest[j] = most;
  }
  const deepest = (row: number) =>
    -largest[Math.min(keys - 1, (row - head * queries) % period + causalOffset)];
  return { shared, deepest };
}

/** Largest magnitude of the weights of the visible keys: 0 for a mask. */
function largestWeight({ keys, logWeights }: Problem, head: number): number {
  let largest = 0;
  if (!logWeights) return largest;
  for (let j = head * keys; j < (head + 1) * keys; j++) {
    if (logWeights[j] > MASKED) largest = Math.max(largest, Math.abs(logWeights[j]));
  }
  return largest;
}

/** Largest squared length of the visible rows. */
export function largestSquare(
  rows: Float32Array,
  first: number,
  count: number,
  width: number,
  logWeights?: Float32Array,
): number {
  let largest = 0;
  for (let row = first; row < first + count; row++) {
    if (logWeights && logWeights[row] <= MASKED) continue;
    largest = Math.max(largest, squaredRow(rows, row * width, width));
  }
  return largest;
}
