import type { Tensor } from "../../kernels/tensor.ts";
import { checkRows } from "./check_target.ts";
import { runOn } from "../../kernels/kept_devices.ts";
import type { DensityEstimate } from "./density.ts";
import type { KernelName } from "./kernels.ts";
import { checkDensityOptions, commonFeatures, type DensityOptions } from "./options.ts";

/** Options of {@link estimateDensity}. */
export interface EstimateDensityOptions extends DensityOptions {
  /** Width h of the kernel, in the units of the points; 1 by default. */
  bandwidth?: number;
  /**
   * "gaussian", exp(−‖x − y‖²/(2h²)), by default; "exponential", exp(−‖x − y‖/h); or "laplace", exp(−‖x − y‖₁/h). The latter two take the methods
   * "exact" and "uniform", and are computed on the host in float64.
   */
  kernel?: KernelName;
}

/**
 * Kernel density: the mean of exp(−‖x − y‖²/(2 bandwidth²)), or of another kernel, over points x, at each query y, in natural
 * logarithms. (For a probability density divide the Gaussian one by (2π bandwidth²)^(d/2).) With probability 1 − delta each, densities
 * of at least `densityFloor` are within a factor 1 ± epsilon. Kernel values come from differences of the values as given: what all have
 * in common, and points far away, cost no digits. Values must lie below 1e38 bandwidths.
 *
 * Source: Charikar and Siminelakis 2017 and Backurs, Indyk and Wagner 2019 ("hashing-based"); Charikar, Kapralov, Nouri and
 * Siminelakis 2020 ("multi-level"); Karppa, Aumüller and Pagh 2022 ("nearest-neighbour").
 *
 * @example
 * ```ts
 * import { estimateDensity, tensor } from "@kdeformer/kdeformer";
 * const points = tensor([0, 0, 1, 0], [2, 2]), query = tensor([0, 0], [1, 2]);
 * const { logDensity } = await estimateDensity(points, query, { device: "reference" });
 * console.log(Math.exp(logDensity[0])); // (1 + exp(−1/2))/2 = 0.803…
 * ```
 *
 * @param points [n, d]
 * @param queries [m, d]
 * @returns ln of the density at each query, and what it cost in kernel and hash evaluations.
 * @throws {TypeError} If shapes do not fit, or an option is unknown or of the wrong type.
 * @throws {RangeError} If a value or option is out of range.
 */
export async function estimateDensity(
  points: Tensor,
  queries: Tensor,
  options: EstimateDensityOptions = {},
): Promise<DensityEstimate> {
  const { fit, target, bandwidth, kernel, signal, device } = checkDensityOptions(options, {
    further: ["bandwidth", "kernel"],
  });
  const features = commonFeatures(points, queries);
  checkRows("points", points.data, features, bandwidth);
  checkRows("queries", queries.data, features, bandwidth);
  // Copies, since the caller may go on with the arrays before the device is ready.
  const rows = points.data.slice(), queryRows = queries.data.slice();
  return await runOn(
    device,
    signal,
    (backend) => fit(backend, rows, features, target, bandwidth, kernel).logDensity(queryRows, signal),
  );
}
