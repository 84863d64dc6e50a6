import type { Backend } from "../../kernels/backend.ts";
import { rowMean, subtractRow } from "./centred_points.ts";
import { checkRows } from "./check_target.ts";
import { type DensityEstimate, type DensityTarget, Evaluations, type FitDensity } from "./density.ts";
import { exactDensity } from "./exact.ts";
import { logExponentialSums } from "./exponential_sums.ts";
import { squaredNorms } from "./log_domain.ts";

/** Magnitudes from here on leave inner products without a digit, and their sums out of range. */
export const LARGEST_FACTOR = 1e15;

/** Share of the error asked for that rounding may take. */
const ROUNDING_SHARE = 1 / 32;

/** A weighted exponential sum in the form of a Gaussian density, of one more feature. */
export interface Lift {
  /** [kept, features + 1]: the rows of positive weight, each followed by its lift. */
  readonly points: Float64Array;
  /** Number of rows kept. */
  readonly kept: number;
  /** ln M, M = max w e^(‖x‖²/2). */
  readonly logLargest: number;
}

/**
 * The lift of Zandieh, Han, Daliri and Karbasi (KDEformer, ICML 2023, Algorithm 2): with M = max w_j e^(‖x_j‖²/2),
 * c_j = √(2 ln M − 2 ln w_j − ‖x_j‖²), x'_j = (x_j, c_j) and y' = (y, 0),
 * w_j e^<x_j, y> = M e^(‖y‖²/2) e^(−‖x'_j − y'‖²/2).
 *
 * @param rows [count, features]
 * @param logWeights [count]; −Infinity for a weight of 0, whose row is dropped
 * @throws {RangeError} If a weight is not a number or infinite, or all are 0.
 */
export function liftWeights(rows: ArrayLike<number>, features: number, logWeights: ArrayLike<number>): Lift {
  const norms = squaredNorms(rows, features), kept: number[] = [];
  let logLargest = -Infinity;
  norms.forEach((norm, row) => {
    if (!(logWeights[row] < Infinity)) {
      throw new RangeError(
        `Cannot estimate weighted sums: log weights must be below Infinity: row ${row} has ${
          logWeights[row]
        }`,
      );
    }
    if (logWeights[row] === -Infinity) return;
    kept.push(row);
    logLargest = Math.max(logLargest, logWeights[row] + norm / 2);
  });
  if (kept.length === 0) {
    throw new RangeError("Cannot estimate weighted sums: at least one weight must be positive: all are 0");
  }
  const points = new Float64Array(kept.length * (features + 1));
  kept.forEach((row, at) => {
    const start = at * (features + 1);
    for (let t = 0; t < features; t++) points[start + t] = rows[row * features + t];
    // Rounding may bring the row that attains M slightly below zero.
    points[start + features] = Math.sqrt(Math.max(0, 2 * (logLargest - logWeights[row]) - norms[row]));
  });
  return { points, kept: kept.length, logLargest };
}

/** Sums Σ_j w_j e^<x_j, y> at any y, by an estimator of densities. */
export class WeightedExponential {
  readonly #features: number;
  readonly #rowCentre: Float64Array;
  readonly #queryCentre: Float64Array;
  readonly #lift: Lift;
  readonly #estimator: ReturnType<FitDensity>;
  /** Length of the longest lifted row. */
  readonly #longest: number;
  /** Error of a logarithm that rounding may cause. */
  readonly #allowed: number;
  readonly #exactSums: (queries: Float32Array, signal?: AbortSignal) => Promise<Float64Array>;

  /**
   * Rows and queries are moved to their means first, which changes the weights by known factors:
   * <x, y> = <x − a, y − b> + <x − a, b> + <a, y>. The lift depends on norms, and smaller ones mean a larger density: less
   * to compute, and less rounding.
   *
   * @param rows [count, features]
   * @param logWeights [count]
   * @param queryCentre [features]: about the mean of the queries to come.
   */
  constructor(
    backend: Backend,
    rows: Float32Array,
    features: number,
    logWeights: ArrayLike<number>,
    target: DensityTarget,
    fit: FitDensity,
    queryCentre: Float64Array = new Float64Array(features),
  ) {
    checkRows("rows", rows, features, 1, LARGEST_FACTOR);
    this.#features = features;
    this.#queryCentre = queryCentre;
    const heavy = rows.filter((_, at) => logWeights[Math.floor(at / features)] > -Infinity);
    this.#rowCentre = rowMean(heavy.length > 0 ? heavy : rows, features);
    const centred = subtractRow(rows, this.#rowCentre);
    const moved = Float64Array.from(logWeights);
    for (let at = 0; at < rows.length; at++) {
      const column = at % features;
      moved[Math.floor(at / features)] += (rows[at] - this.#rowCentre[column]) * queryCentre[column];
    }
    this.#lift = liftWeights(centred, features, moved);
    this.#estimator = fit(backend, Float32Array.from(this.#lift.points), features + 1, target);
    this.#longest = longest(this.#lift.points, features + 1);
    this.#allowed = fit === exactDensity ? 0 : ROUNDING_SHARE * target.epsilon;
    const weights = Float64Array.from(logWeights);
    this.#exactSums = (queries, signal) =>
      logExponentialSums(backend, rows, features, weights, queries, signal);
  }

  /**
   * ln of the sum at each query. The lift's squares may be far larger than the inner products that they stand for; where f32 would lose
   * too much of these, and where densities would be exact anyway, the sums are computed without it, exactly.
   *
   * @param queries [queries, features]
   * @returns The sums in place of densities; their relative error is that of the densities.
   */
  async logSums(queries: Float32Array, signal?: AbortSignal): Promise<DensityEstimate> {
    const features = this.#features, { kept, logLargest } = this.#lift;
    const count = checkRows("queries", queries, features, 1, LARGEST_FACTOR);
    const lifted = new Float32Array(count * (features + 1)), offset = new Float64Array(count);
    const logFactor = new Float64Array(count).fill(logLargest + Math.log(kept));
    for (let at = 0; at < queries.length; at++) {
      const row = Math.floor(at / features), column = at % features;
      const moved = Math.fround(queries[at] - this.#queryCentre[column]);
      offset[row] += this.#rowCentre[column] * queries[at];
      lifted[at + row] = moved;
      logFactor[row] += moved * moved / 2;
    }
    if (2 ** -24 * (this.#longest + longest(lifted, features + 1)) ** 2 > this.#allowed) {
      const cost = new Evaluations();
      cost.add({ kernelEvaluations: kept * count });
      return cost.with(await this.#exactSums(queries, signal));
    }
    const estimate = await this.#estimator.logDensity(lifted, signal);
    return {
      ...estimate,
      logDensity: estimate.logDensity.map((log, row) => log + logFactor[row] + offset[row]),
    };
  }
}

/** Length of the longest row. */
function longest(rows: ArrayLike<number>, features: number): number {
  return Math.sqrt(squaredNorms(rows, features).reduce((a, b) => Math.max(a, b), 0));
}
