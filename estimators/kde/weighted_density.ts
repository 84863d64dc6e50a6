import type { Backend } from "../../kernels/backend.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { pickRows } from "../linear_algebra/pick_rows.ts";
import { CentredPoints } from "./centred_points.ts";
import type { DensityEstimator, DensityTarget } from "./density.ts";
import { ExactDensity } from "./exact.ts";
import type { KernelName } from "./kernels.ts";
import { densityFit, type DensityMethod } from "./methods.ts";
import { sampledDensity } from "./uniform.ts";

/** How {@link weightedDensity} estimates. */
export interface WeightedDensityPlan {
  readonly method: DensityMethod;
  readonly kernel: KernelName;
  readonly bandwidth: number;
  readonly target: DensityTarget;
}

/**
 * Fits an estimator of Σ_j w_j k(x_j, y)/Σ_j w_j, which lies in [0, 1] as densities do: exactly, by points drawn with probabilities as
 * their weights, or for methods that hash, whose kernel is Gaussian, by one more coordinate, c_j = √(2 ln(max w/w_j)) bandwidths:
 * w_j exp(−‖x_j − y‖²/2) = max w · exp(−‖(x_j, c_j) − (y, 0)‖²/2). Rows of weight 0 are left out.
 *
 * @param points [count, features]
 * @param weights [count], at least 0 and finite, at least one of them positive.
 */
export function weightedDensity(
  backend: Backend,
  points: Float32Array,
  features: number,
  weights: Float64Array,
  { method, kernel, bandwidth, target }: WeightedDensityPlan,
): DensityEstimator {
  const kept = Uint32Array.from(weights.keys()).filter((row) => weights[row] > 0);
  const rows = pickRows(points, features, kept);
  const largest = weights.reduce((a, b) => Math.max(a, b), 0);
  // Sums of weights may be out of range where the weights are not.
  const shares = Float64Array.from(kept, (row) => weights[row] / largest);
  const mean = shares.reduce((a, b) => a + b, 0) / kept.length;
  if (method === "exact" || method === "uniform") {
    const logWeights = shares.map((share) => Math.log(share / mean));
    const weighted = new CentredPoints(rows, features, bandwidth, kernel, logWeights);
    if (method === "exact") return new ExactDensity(backend, weighted);
    const stream = new RandomStream(target.seed, Purpose.uniformSample), sums = runningSums(shares);
    return sampledDensity(backend, weighted, target, (size) => drawByWeight(sums, size, stream));
  }
  const heights = shares.map((share) => Math.sqrt(-2 * Math.log(share)) * bandwidth);
  const estimator = densityFit(method)(
    backend,
    lift(rows, features, heights),
    features + 1,
    target,
    bandwidth,
  );
  return {
    count: estimator.count,
    features,
    async logDensity(queries, signal) {
      const asked = lift(queries, features, new Float64Array(queries.length / features));
      const estimate = await estimator.logDensity(asked, signal), logMean = Math.log(mean);
      return { ...estimate, logDensity: estimate.logDensity.map((log) => log - logMean) };
    },
  };
}

function runningSums(shares: Float64Array): Float64Array {
  let sum = 0;
  return shares.map((share) => sum += share);
}

/** Places drawn independently, each as often as its weight says: two words a draw, since one would never find weights below 2^-32. */
function drawByWeight(sums: Float64Array, size: number, stream: RandomStream): Uint32Array {
  const last = sums.length - 1;
  return Uint32Array.from({ length: size }, () => {
    const mark = sums[last] * (stream.word() + stream.uniform()) / 2 ** 32;
    let low = 0, high = last;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle] > mark) high = middle;
      else low = middle + 1;
    }
    return low;
  });
}

/** Rows with one more coordinate: [count, features + 1]. */
function lift(rows: Float32Array, features: number, heights: Float64Array): Float32Array {
  const lifted = new Float32Array(heights.length * (features + 1));
  heights.forEach((height, row) => {
    lifted.set(rows.subarray(row * features, (row + 1) * features), row * (features + 1));
    lifted[row * (features + 1) + features] = height;
  });
  return lifted;
}
