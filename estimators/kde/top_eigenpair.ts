import type { Tensor } from "../../kernels/tensor.ts";
import { runOn } from "../../kernels/kept_devices.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { checkRows } from "./check_target.ts";
import { Evaluations } from "./density.ts";
import type { EstimateDensityOptions } from "./estimate_density.ts";
import { multiply } from "./kernel_product.ts";
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
 * Largest eigenvalue and its eigenvector of a kernel matrix, Gaussian by default, without holding it: power iteration from the even vector,
 * each product K u as by `kernelProduct`, from draws of its own. No entry of u is ever negative.
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
  const { method, kernel, target, bandwidth, device, signal } = checkDensityOptions(options, {
    further: ["bandwidth", "kernel"],
  });
  const features = featuresOf("points", points), { epsilon } = target;
  const count = checkRows("points", points.data, features, bandwidth);
  // A copy, since the caller may go on with the array before the device is ready.
  const rows = points.data.slice(), cost = new Evaluations();
  const most = Math.ceil(Math.log(2 * count / epsilon) / epsilon);
  let vector = new Float64Array(count).fill(1 / Math.sqrt(count)), value = 0, rounds = 0;
  // Half of the error for the products, half for the iteration.
  const perProduct = { ...target, epsilon: epsilon / 2, delta: target.delta / (most * count) };
  // The guarantee of a product is about a vector that does not depend on its draws, so that no two rounds may share them.
  const seeds = new RandomStream(target.seed, Purpose.products);
  while (rounds++ < most) {
    const plan = { method, kernel, bandwidth, target: { ...perProduct, seed: seeds.word() } };
    const { product: image, ...step } = await runOn(
      device,
      signal,
      (backend) => multiply(backend, rows, features, vector, plan, signal),
    );
    cost.add(step);
    value = image.reduce((sum, x, row) => sum + x * vector[row], 0);
    const above = image.reduce(
      (largest, x, row) => vector[row] > 0 ? Math.max(largest, x / vector[row]) : Infinity,
      0,
    );
    if (above <= (1 + epsilon / 2) * value) break;
    const length = Math.sqrt(image.reduce((sum, x) => sum + x * x, 0));
    vector = image.map((x) => x / length);
  }
  return { ...cost, value, vector, rounds: Math.min(rounds, most) };
}
