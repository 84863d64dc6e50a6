import { runOn } from "../../kernels/kept_devices.ts";
import { checkNumbers, type Tensor } from "../../kernels/tensor.ts";
import { rowMean } from "./centred_points.ts";
import { checkRows } from "./check_target.ts";
import { checkDensityOptions, commonFeatures, type DensityOptions } from "./options.ts";
import { LARGEST_FACTOR, WeightedExponential } from "./weighted_exponential.ts";

/** What {@link weightedExponentialKde} returns. */
export interface WeightedExponentialResult {
  /** [m]: ln Σ_j w_j exp(<x_j, y>) at each query y. */
  readonly logSum: Float64Array;
  /** Kernel values, over all queries. */
  readonly kernelEvaluations: number;
  /** Inner products of a query with a direction of a hash, over all queries. */
  readonly hashEvaluations: number;
  /** Inner products and distances spent on the points alone. */
  readonly buildEvaluations: number;
}

/**
 * Weighted exponential sums Σ_j w_j exp(<x_j, y>) at each query y, in natural logarithms, by kernel density estimation:
 * each point is lifted by one coordinate so that the sum becomes a Gaussian density of that set times a known factor.
 * `densityFloor` is a floor on that density.
 *
 * Source: Zandieh, Han, Daliri and Karbasi, KDEformer (ICML 2023), Algorithm 2.
 *
 * @example
 * ```ts
 * import { tensor, weightedExponentialKde } from "@kdeformer/kdeformer";
 * const points = tensor([1, 0, 0, 1], [2, 2]), query = tensor([1, 0], [1, 2]);
 * const { logSum } = await weightedExponentialKde(points, [2, 3], query, { method: "exact", device: "reference" });
 * console.log(Math.exp(logSum[0])); // 2e + 3 = 8.43…
 * ```
 *
 * @param points [n, d]
 * @param weights [n], at least 0; points of weight 0 are left out
 * @param queries [m, d]
 * @throws {TypeError} If shapes do not fit, or an option is unknown or of the wrong type.
 * @throws {RangeError} If a value or option is out of range, or every weight is 0.
 */
export async function weightedExponentialKde(
  points: Tensor,
  weights: ArrayLike<number>,
  queries: Tensor,
  options: DensityOptions = {},
): Promise<WeightedExponentialResult> {
  const { fit, target, device: choice, signal } = checkDensityOptions(options);
  const features = commonFeatures(points, queries);
  checkNumbers("estimate weighted sums", "weights", weights);
  if (weights.length !== points.shape[0]) {
    throw new TypeError(
      `Cannot estimate weighted sums: there must be a weight for each of ${
        points.shape[0]
      } points: there are ${weights.length}`,
    );
  }
  const logWeights = Float64Array.from(weights, (weight, row) => {
    if (!(weight >= 0 && weight < Infinity)) {
      throw new RangeError(
        `Cannot estimate weighted sums: weights must be finite and at least 0: weight ${row} is ${weight}`,
      );
    }
    return Math.log(weight);
  });
  checkRows("points", points.data, features, 1, LARGEST_FACTOR);
  checkRows("queries", queries.data, features, 1, LARGEST_FACTOR);
  // Inner products do not change when one side grows and the other shrinks, but densities are largest where both spread alike.
  // Copies, since the caller may go on with the arrays before the device is ready.
  const balance = balanceOf(points.data, queries.data, features);
  const rows = points.data.map((x) => x * balance), queryRows = queries.data.map((x) => x / balance);
  const centre = rowMean(queryRows, features);
  const { logDensity, ...cost } = await runOn(
    choice,
    signal,
    (backend) =>
      new WeightedExponential(backend, rows, features, logWeights, target, fit, centre)
        .logSums(queryRows, signal),
  );
  return { logSum: logDensity, ...cost };
}

/** Power of two by which rows are multiplied and queries divided, so that both have about the same spread; exact. */
function balanceOf(rows: Float32Array, queries: Float32Array, features: number): number {
  const ratio = spreadOf(queries, features) / spreadOf(rows, features);
  if (!(ratio > 0 && ratio < Infinity)) return 1;
  const balance = 2 ** Math.round(Math.log2(ratio) / 2), most = LARGEST_FACTOR;
  const fits = rows.every((x) => Math.abs(x * balance) < most) &&
    queries.every((x) => Math.abs(x / balance) < most);
  return fits ? balance : 1;
}

/** Root mean square distance of a value from the mean of its column. */
function spreadOf(rows: Float32Array, features: number): number {
  const mean = rowMean(rows, features);
  return Math.sqrt(rows.reduce((sum, x, at) => sum + (x - mean[at % features]) ** 2, 0) / rows.length);
}
