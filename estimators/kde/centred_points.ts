import { checkRows } from "./check_target.ts";
import { squaredNorms } from "./log_domain.ts";

/**
 * Points moved so that their mean is the origin. Distances do not change, but inner products and norms lose what
 * all points have in common, which in f32 would swallow their differences.
 */
export class CentredPoints {
  /** [count, features] */
  readonly data: Float32Array;
  readonly count: number;
  readonly features: number;
  /** [count] */
  readonly squaredNorms: Float64Array;
  readonly largestNorm: number;
  readonly #mean: Float64Array;

  constructor(points: Float32Array, features: number) {
    this.count = checkRows("points", points, features);
    this.features = features;
    this.#mean = rowMean(points, features);
    this.data = subtractRow(points, this.#mean);
    this.squaredNorms = squaredNorms(this.data, features);
    this.largestNorm = Math.sqrt(this.squaredNorms.reduce((a, b) => Math.max(a, b), 0));
  }

  /** Checks queries [queries, features] and moves them along with the points. */
  place(queries: Float32Array): Float32Array {
    checkRows("queries", queries, this.features);
    return subtractRow(queries, this.#mean);
  }
}

/** Mean of rows in float64, as first row + mean difference from it. */
export function rowMean(rows: Float32Array, features: number): Float64Array {
  const count = rows.length / features, mean = new Float64Array(features);
  for (let at = 0; at < rows.length; at++) mean[at % features] += rows[at] - rows[at % features];
  return mean.map((sum, column) => rows[column] + sum / count);
}

/** Rows minus one row. */
export function subtractRow(rows: Float32Array, row: Float64Array): Float32Array {
  const width = row.length;
  return rows.map((value, at) => value - row[at % width]);
}

/** Copies of the picked rows. */
export function pickRows(rows: Float32Array, width: number, picks: ArrayLike<number>): Float32Array {
  const picked = new Float32Array(picks.length * width);
  for (let at = 0; at < picks.length; at++) {
    picked.set(rows.subarray(picks[at] * width, (picks[at] + 1) * width), at * width);
  }
  return picked;
}
