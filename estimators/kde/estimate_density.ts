import type { Tensor } from "../../kernels/tensor.ts";
import { deviceFor } from "../attention/attention.ts";
import type { DensityEstimate } from "./density.ts";
import { densityFit } from "./methods.ts";
import { commonFeatures, type DensityOptions, scaledRows, targetOf } from "./options.ts";
import { runOn } from "../../kernels/device.ts";

/** Options of {@link estimateDensity}. */
export interface EstimateDensityOptions extends DensityOptions {
  /** Standard deviation h of the kernel exp(−‖x − y‖²/(2h²)), in the units of the points; 1 by default. */
  bandwidth?: number;
}

/**
 * Gaussian kernel density: the mean of exp(−‖x − y‖²/(2 bandwidth²)) over points x, at each query y, in natural
 * logarithms. (For a probability density divide by (2π bandwidth²)^(d/2).) With probability 1 − delta each, densities
 * of at least `densityFloor` are within a factor 1 ± epsilon.
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
 * @throws {TypeError} If shapes do not fit.
 * @throws {RangeError} If a value or option is out of range.
 */
export async function estimateDensity(
  points: Tensor,
  queries: Tensor,
  options: EstimateDensityOptions = {},
): Promise<DensityEstimate> {
  const { bandwidth = 1, method = "uniform", signal } = options;
  const features = commonFeatures(points, queries), fit = densityFit(method);
  const rows = scaledRows(points, bandwidth), queryRows = scaledRows(queries, bandwidth);
  const device = await deviceFor(options.device);
  return await runOn(
    device,
    (backend) => fit(backend, rows, features, targetOf(options)).logDensity(queryRows, signal),
  );
}
