import { MASKED } from "../../kernels/backend.ts";
import type { Problem } from "../core/problem.ts";
import { pickRows } from "../linear_algebra/pick_rows.ts";
import { lowerOperatorNorm } from "../linear_algebra/lower_operator_norm.ts";
import { largestSquare } from "./rounding_bound.ts";

/** Where the values of one key head lie; hidden keys do not count. */
export interface ValueGeometry {
  /** Mean value. */
  readonly centre: Float64Array;
  /** Largest distance of a value from their mean: no row of attention lies farther from it. */
  readonly radius: number;
  /** Length of the longest value. */
  readonly longest: number;
  /** A lower bound on ‖V‖_op, close to it. */
  readonly valueNorm: number;
  /** Keys that some query sees. */
  readonly visible: number;
}

/** Covers the float64 arithmetic behind sums of up to 2^30 numbers. */
export const HOST_ROUNDING = 1e-6;
/** A bound on ‖V‖ a percent too low asks for two percent more rows of a check: less than what finding a closer one takes. */
const TOLERANCE = 0.01;

/** Geometry of the values of each key head. */
export function valueGeometry(problem: Problem): ValueGeometry[] {
  return Array.from({ length: problem.heads }, (_, head) => {
    const { keys, valueFeatures: width, logWeights } = problem;
    const values = visibleValues(problem, head), count = values.length / width;
    const centre = meanOf(values, width);
    return {
      centre,
      radius: distanceOfFarthest(values, centre) * (1 + HOST_ROUNDING),
      longest: Math.sqrt(largestSquare(problem.value, head * keys, keys, width, logWeights)) *
        (1 + HOST_ROUNDING),
      valueNorm: lowerOperatorNorm(values, count, width, TOLERANCE).norm * (1 - HOST_ROUNDING),
      visible: count,
    };
  });
}

function visibleValues({ value, keys, valueFeatures, logWeights }: Problem, head: number): Float32Array {
  const first = head * keys, own = value.subarray(first * valueFeatures, (first + keys) * valueFeatures);
  if (!logWeights) return own;
  const rows: number[] = [];
  for (let j = 0; j < keys; j++) if (logWeights[first + j] > MASKED) rows.push(j);
  return rows.length === keys ? own : pickRows(own, valueFeatures, rows);
}

function meanOf(rows: Float32Array, width: number): Float64Array {
  const sum = new Float64Array(width), count = rows.length / width;
  for (let start = 0; start < rows.length; start += width) {
    for (let c = 0; c < width; c++) sum[c] += rows[start + c];
  }
  return sum.map((x) => x / count);
}

/** Distance from `centre` of the row farthest from it; NaN if a number is not finite. */
export function distanceOfFarthest(rows: Float32Array, centre: Float64Array): number {
  const width = centre.length;
  let farthest = 0;
  for (let start = 0; start < rows.length; start += width) {
    let squared = 0;
    for (let c = 0; c < width; c++) {
      const away = rows[start + c] - centre[c];
      squared += away * away;
    }
    // Written so that NaN and infinity enter the branch, and stay.
    if (!(squared <= farthest)) {
      if (!Number.isFinite(squared)) return NaN;
      farthest = squared;
    }
  }
  return Math.sqrt(farthest);
}
