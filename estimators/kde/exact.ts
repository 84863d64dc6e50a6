import type { Backend } from "../../kernels/backend.ts";
import { CentredPoints } from "./centred_points.ts";
import { checkTarget } from "./check_target.ts";
import { type DensityEstimate, type DensityEstimator, type DensityTarget, Evaluations } from "./density.ts";
import { logKernelSums } from "./kernel_sums.ts";
import type { KernelName } from "./kernels.ts";

/** Every kernel value: count evaluations a query, no error but rounding. */
export class ExactDensity implements DensityEstimator {
  readonly count: number;
  readonly features: number;
  readonly #backend: Backend;
  readonly #points: CentredPoints;

  constructor(backend: Backend, points: CentredPoints) {
    this.#backend = backend;
    this.#points = points;
    this.count = points.count;
    this.features = points.features;
  }

  async logDensity(queries: Float32Array, signal?: AbortSignal): Promise<DensityEstimate> {
    const placed = this.#points.place(queries), cost = new Evaluations();
    const sums = await logKernelSums(this.#backend, this.#points, placed, { signal });
    cost.add({ kernelEvaluations: this.count * sums.length });
    return cost.with(sums.map((log) => log - Math.log(this.count)));
  }
}

/** Fits {@link ExactDensity}; of the target only the ranges are looked at. */
export function exactDensity(
  backend: Backend,
  points: Float32Array,
  features: number,
  target: DensityTarget,
  bandwidth?: number,
  kernel?: KernelName,
): DensityEstimator {
  checkTarget(target);
  return new ExactDensity(backend, new CentredPoints(points, features, bandwidth, kernel));
}
