import type { Tensor } from "../../kernels/tensor.ts";
import { deviceFor } from "../attention/attention.ts";
import { rowMean } from "./centred_points.ts";
import { densityFit } from "./methods.ts";
import { commonFeatures, type DensityOptions, targetOf } from "./options.ts";
import { WeightedExponential } from "./weighted_exponential.ts";
import { runOn } from "../../kernels/device.ts";

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
 * @throws {TypeError} If shapes do not fit.
 * @throws {RangeError} If a value or option is out of range, or every weight is 0.
 */
export async function weightedExponentialKde(
  points: Tensor,
  weights: ArrayLike<number>,
  queries: Tensor,
  options: DensityOptions = {},
): Promise<WeightedExponentialResult> {
  const features = commonFeatures(points, queries), fit = densityFit(options.method ?? "uniform");
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
  const device = await deviceFor(options.device), centre = rowMean(queries.data, features);
  const { logDensity, ...cost } = await runOn(
    device,
    (backend) =>
      new WeightedExponential(backend, points.data, features, logWeights, targetOf(options), fit, centre)
        .logSums(queries.data, options.signal),
  );
  return { logSum: logDensity, ...cost };
}
