import type { Backend } from "../../kernels/backend.ts";
import { CentredPoints } from "./centred_points.ts";
import { pickRows } from "../linear_algebra/pick_rows.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { checkTarget } from "./check_target.ts";
import { type DensityEstimator, type DensityTarget, Evaluations } from "./density.ts";
import { SearchedDensity } from "./floor_search.ts";
import { logKernelSums } from "./kernel_sums.ts";
import type { KernelName } from "./kernels.ts";

/**
 * Points that suffice for a mean of kernel values. They lie in [0, 1], so by Chernoff's bound the mean of m of them is off by
 * more than epsilon · max(density, floor) with probability at most 2 exp(−m floor h), h = (1 + epsilon) ln(1 + epsilon) − epsilon, the exponent of the upper
 * tail, which is the heavier one. The bound holds for drawing without replacement too (Hoeffding 1963, theorem 4), and needs
 * about fifteen times fewer points than a median of means.
 */
export function uniformSampleSize(epsilon: number, delta: number, floor: number): number {
  return Math.ceil(Math.log(2 / delta) / (floor * ((1 + epsilon) * Math.log1p(epsilon) - epsilon)));
}

/** Fits an estimator that averages the kernel over points drawn uniformly, the same ones for all queries of a batch. */
export function uniformDensity(
  backend: Backend,
  points: Float32Array,
  features: number,
  target: DensityTarget,
  bandwidth?: number,
  kernel?: KernelName,
): DensityEstimator {
  checkTarget(target);
  const centred = new CentredPoints(points, features, bandwidth, kernel);
  return sampledDensity(
    backend,
    centred,
    target,
    (size) => new RandomStream(target.seed, Purpose.uniformSample).distinct(size, centred.count),
  );
}

/**
 * The mean of the kernel over as many drawn points as a density asks for. Of weighted points those are drawn by their weights.
 *
 * @param draw So many places of points, each drawn with the probability that its weight has of all.
 */
export function sampledDensity(
  backend: Backend,
  points: CentredPoints,
  target: DensityTarget,
  draw: (size: number) => Uint32Array,
): DensityEstimator {
  const { features, bandwidth, kernel } = points;
  const sizeAt = (floor: number, delta: number) => uniformSampleSize(target.epsilon, delta, floor);
  return new SearchedDensity(backend, points, target, (queries) => ({
    kernelEvaluationsAt: sizeAt,
    async estimateAt(rows, floor, delta, signal) {
      const size = sizeAt(floor, delta), cost = new Evaluations();
      const sample = { features, bandwidth, kernel, data: pickRows(points.data, features, draw(size)) };
      const picked = pickRows(queries, features, rows);
      cost.add({ kernelEvaluations: rows.length * size });
      const sums = await logKernelSums(backend, sample, picked, { signal });
      return cost.with(sums.map((log) => log - Math.log(size)));
    },
  }));
}
