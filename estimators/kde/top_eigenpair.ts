import type { Tensor } from "../../kernels/tensor.ts";
import { pickRows } from "../linear_algebra/pick_rows.ts";
import { runOn } from "../../kernels/kept_devices.ts";
import { CentredPoints } from "./centred_points.ts";
import { Evaluations } from "./density.ts";
import type { EstimateDensityOptions } from "./estimate_density.ts";
import { checkDensityOptions, featuresOf } from "./options.ts";

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
 * from the even vector, each product K u by weighted kernel density estimation. No entry of u is ever negative, so weights become one more
 * coordinate, c_j = √(2 ln(max u/u_j)) bandwidths: u_j exp(−‖x_j − y‖²/2) = max u · exp(−‖(x_j, c_j) − (y, 0)‖²/2).
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
 * @throws {TypeError} If the shape does not fit, or an option is unknown or of the wrong type.
 * @throws {RangeError} If a value or option is out of range.
 */
export async function topEigenpair(
  points: Tensor,
  options: EstimateDensityOptions = {},
): Promise<TopEigenpair> {
  const { fit, target, bandwidth, device, signal } = checkDensityOptions(options, {
    further: ["bandwidth"],
  });
  const features = featuresOf("points", points), { epsilon } = target;
  // A copy, since the caller may go on with the array before the device is ready.
  const scaled = new CentredPoints(points.data.slice(), features, bandwidth), { count } = scaled;
  const cost = new Evaluations();
  const most = Math.ceil(Math.log(2 * count / epsilon) / epsilon);
  let vector = new Float64Array(count).fill(1 / Math.sqrt(count)), value = 0, rounds = 0;
  // Half of the error for the products, half for the iteration.
  const perProduct = { ...target, epsilon: epsilon / 2, delta: target.delta / (most * count) };
  const queries = liftRows(scaled, new Float64Array(count));
  while (rounds++ < most) {
    const largest = vector.reduce((a, b) => Math.max(a, b), 0);
    const kept = Uint32Array.from(vector.keys()).filter((row) => vector[row] > 0);
    const heights = vector.map((x) => Math.sqrt(-2 * Math.log(x / largest)));
    const rows = pickRows(liftRows(scaled, heights), features + 1, kept);
    const product = await runOn(
      device,
      signal,
      (backend) => fit(backend, rows, features + 1, perProduct, scaled.bandwidth).logDensity(queries, signal),
    );
    cost.add(product);
    const image = product.logDensity.map((log) => Math.exp(log) * kept.length * largest);
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

/** Points with one more coordinate, given in bandwidths: [count, features + 1]. */
function liftRows({ data, count, features, bandwidth }: CentredPoints, heights: Float64Array): Float32Array {
  const lifted = new Float32Array(count * (features + 1));
  for (let row = 0; row < count; row++) {
    lifted.set(data.subarray(row * features, (row + 1) * features), row * (features + 1));
    lifted[row * (features + 1) + features] = heights[row] * bandwidth;
  }
  return lifted;
}
