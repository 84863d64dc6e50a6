import type { Backend } from "../../kernels/backend.ts";
import { runOn } from "../../kernels/kept_devices.ts";
import { checkNumbers, type Tensor } from "../../kernels/tensor.ts";
import { checkRows } from "./check_target.ts";
import { Evaluations } from "./density.ts";
import type { EstimateDensityOptions } from "./estimate_density.ts";
import { checkDensityOptions, featuresOf } from "./options.ts";
import { weightedDensity, type WeightedDensityPlan } from "./weighted_density.ts";

/** What {@link kernelProduct} returns. */
export interface KernelProductResult {
  /** [n]: K w, no entry below w_i or above Σ w. */
  readonly product: Float64Array;
  /** Kernel values that were computed. */
  readonly kernelEvaluations: number;
  /** Projections of queries onto hash directions. */
  readonly hashEvaluations: number;
  /** Projections and distances spent on building the estimators. */
  readonly buildEvaluations: number;
}

/**
 * Product of a kernel matrix, Gaussian by default, with a vector of no negative entry, without holding the matrix. With probability 1 − delta
 * every entry is within epsilon · max((K w)_i, densityFloor · Σ w) of (K w)_i: entries of at least `densityFloor` of the sum of the vector
 * are within a factor 1 ± epsilon, all of them at once. So is the sum of all entries, up to epsilon · n · densityFloor · Σ w.
 *
 * Source: Backurs, Indyk, Musco and Wagner, "Faster kernel matrix algebra via density estimation" (ICML 2021).
 *
 * @example
 * ```ts
 * import { kernelProduct, tensor } from "@kdeformer/kdeformer";
 * const { product } = await kernelProduct(tensor([0, 1], [2, 1]), [2, 3], { method: "exact", device: "reference" });
 * console.log(product[0]); // 2 + 3 exp(−1/2) = 3.81…
 * ```
 *
 * @param points [n, d]
 * @param vector [n], at least 0
 * @throws {TypeError} If the shape does not fit, or an option is unknown or of the wrong type.
 * @throws {RangeError} If a value or option is out of range.
 */
export async function kernelProduct(
  points: Tensor,
  vector: ArrayLike<number>,
  options: EstimateDensityOptions = {},
): Promise<KernelProductResult> {
  const { method, kernel, bandwidth, target, device, signal } = checkDensityOptions(options, {
    further: ["bandwidth", "kernel"],
  });
  const features = featuresOf("points", points);
  const count = checkRows("points", points.data, features, bandwidth);
  checkNumbers("multiply by a kernel matrix", "vector", vector);
  if (vector.length !== count) {
    throw new TypeError(
      `Cannot multiply by a kernel matrix: vector must have an entry for each of ${count} points: there are ${vector.length}`,
    );
  }
  // Copies, since the caller may go on with the arrays before the device is ready.
  const rows = points.data.slice(), weights = Float64Array.from(vector);
  const bad = weights.findIndex((x) => !(x >= 0 && x < Infinity));
  if (bad !== -1) {
    throw new RangeError(
      `Cannot multiply by a kernel matrix: vector must be finite and at least 0: entry ${bad} is ${
        weights[bad]
      }`,
    );
  }
  const plan = { method, kernel, bandwidth, target: { ...target, delta: target.delta / count } };
  if (weights.every((x) => x === 0)) return { product: weights, ...new Evaluations() };
  return await runOn(device, signal, (backend) => multiply(backend, rows, features, weights, plan, signal));
}

/**
 * K w of arguments that have been checked, w not zero. The matrix has ones on its diagonal and no entry above: what an estimate finds beyond
 * w_i and Σ w is off by no less than these are.
 *
 * @param plan Its delta is that of a single entry.
 */
export async function multiply(
  backend: Backend,
  rows: Float32Array,
  features: number,
  weights: Float64Array,
  plan: WeightedDensityPlan,
  signal?: AbortSignal,
): Promise<KernelProductResult> {
  const estimator = weightedDensity(backend, rows, features, weights, plan);
  const { logDensity, ...cost } = await estimator.logDensity(rows, signal);
  const largest = weights.reduce((a, b) => Math.max(a, b), 0);
  const share = weights.reduce((sum, x) => sum + x / largest, 0);
  const product = logDensity.map((log, row) =>
    Math.max(weights[row], Math.min(1, Math.exp(log)) * share * largest)
  );
  return { product, ...cost };
}
