import type { Tensor } from "../../kernels/tensor.ts";
import { deviceFor } from "../attention/attention.ts";
import { CentredPoints } from "./centred_points.ts";
import { checkTarget } from "./check_target.ts";
import { Evaluations } from "./density.ts";
import type { EstimateDensityOptions } from "./estimate_density.ts";
import { densityFit } from "./methods.ts";
import { featuresOf, scaledRows, targetOf } from "./options.ts";
import { WeightedExponential } from "./weighted_exponential.ts";
import { runOn } from "../../kernels/device.ts";

/** What {@link topEigenpair} returns. */
export interface TopEigenpair {
  /** Rayleigh quotient of the vector: the largest eigenvalue, within a factor 1 ± epsilon. */
  readonly value: number;
  /** [n], of length 1, no entry negative. */
  readonly vector: Float64Array;
  /** Matrix–vector products. */
  readonly rounds: number;
  /** Kernel values that were computed. */
  readonly kernelEvaluations: number;
  /** Projections of queries onto hash directions. */
  readonly hashEvaluations: number;
  /** Projections and distances spent on building the estimators. */
  readonly buildEvaluations: number;
}

/**
 * Largest eigenvalue and its eigenvector of the Gaussian kernel matrix K_ij = exp(−‖x_i − x_j‖²/(2 bandwidth²)), without holding it: power iteration
 * from the even vector, each product K u by weighted kernel density estimation. No entry of u is ever negative, so the products are sums that
 * the lift takes: u_j exp(−‖x_j − y‖²/2) = exp(−‖y‖²/2) · (u_j exp(−‖x_j‖²/2)) · exp(<x_j, y>).
 *
 * The iteration ends when the bounds meet, Rayleigh's quotient below and the largest ratio (K u)_i/u_i above (Collatz and Wielandt),
 * or after ln(2n/epsilon)/epsilon rounds, which suffice from this start.
 *
 * Source: Backurs, Indyk, Musco and Wagner, "Faster kernel matrix algebra via density estimation" (ICML 2021).
 *
 * @example
 * ```ts
 * import { tensor, topEigenpair } from "@kdeformer/kdeformer";
 * const { value } = await topEigenpair(tensor([0, 1], [2, 1]), { method: "exact", device: "reference" });
 * console.log(value); // 1 + exp(−1/2) = 1.60…
 * ```
 *
 * @param points [n, d]
 * @throws {TypeError} If the shape does not fit.
 * @throws {RangeError} If a value or option is out of range.
 */
export async function topEigenpair(
  points: Tensor,
  options: EstimateDensityOptions = {},
): Promise<TopEigenpair> {
  const features = featuresOf("points", points), fit = densityFit(options.method ?? "uniform");
  const target = targetOf(options), { epsilon } = target;
  checkTarget(target);
  const { data, count, squaredNorms } = new CentredPoints(
    scaledRows(points, options.bandwidth ?? 1),
    features,
  );
  const device = await deviceFor(options.device), cost = new Evaluations();
  const most = Math.ceil(Math.log(2 * count / epsilon) / epsilon);
  let vector = new Float64Array(count).fill(1 / Math.sqrt(count)), value = 0, rounds = 0;
  // Half of the error for the products, half for the iteration.
  const perProduct = { ...target, epsilon: epsilon / 2, delta: target.delta / (most * count) };
  while (rounds++ < most) {
    const logVector = vector.map(Math.log);
    const product = await runOn(device, (backend) => {
      const logWeights = logVector.map((log, row) => log - squaredNorms[row] / 2);
      return new WeightedExponential(backend, data, features, logWeights, perProduct, fit)
        .logSums(data, options.signal);
    });
    cost.add(product);
    const image = product.logDensity.map((log, row) => Math.exp(log - squaredNorms[row] / 2));
    value = image.reduce((sum, x, row) => sum + x * vector[row], 0);
    const above = image.reduce(
      (largest, x, row) => vector[row] > 0 ? Math.max(largest, x / vector[row]) : Infinity,
      0,
    );
    if (above <= (1 + epsilon / 2) * value) break;
    const length = Math.sqrt(image.reduce((sum, x) => sum + x * x, 0));
    vector = image.map((x) => x / length);
  }
  return { ...cost.with(vector), value, vector, rounds: Math.min(rounds, most) };
}
