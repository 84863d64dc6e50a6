import { checkInteger } from "../../kernels/check_values.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import type { Tensor } from "../../kernels/tensor.ts";
import { CentredPoints } from "./centred_points.ts";
import { pickRows } from "../linear_algebra/pick_rows.ts";
import { runOn } from "../../kernels/kept_devices.ts";
import type { EstimateDensityOptions } from "./estimate_density.ts";
import type { KernelRows } from "./kernel_rows.ts";
import { logKernelSums } from "./kernel_sums.ts";
import { logSumExp } from "./log_domain.ts";
import { groupFailure } from "./median_of_means.ts";
import { checkDensityOptions, featuresOf } from "./options.ts";

/** Options of {@link kernelSum}. */
export interface KernelSumOptions extends
  Pick<
    EstimateDensityOptions,
    "epsilon" | "delta" | "seed" | "device" | "signal" | "bandwidth" | "kernel"
  > {
  /** Points of one sample in place of those that epsilon and delta ask for; 2 or more. */
  samples?: number;
}

/** What {@link kernelSum} returns. */
export interface KernelSumResult {
  /** Σ_i Σ_j k(x_i, x_j), i = j included: between n and n². */
  readonly sum: number;
  /** Kernel values that were computed. */
  readonly kernelEvaluations: number;
  /** Points of each sample. */
  readonly samples: number;
  /** Samples whose median was taken. */
  readonly groups: number;
}

/**
 * Sum of all entries of a kernel matrix, Gaussian by default, from few of them: with A a random set of m points,
 * n + n(n − 1)/(m(m − 1)) · Σ_{i≠j in A} K_ij. Within a factor 1 ± epsilon with probability 1 − delta; m grows as √n/epsilon². Where m would reach
 * n the sum is exact.
 *
 * Source: Backurs, Indyk, Musco and Wagner, "Faster kernel matrix algebra via density estimation" (ICML 2021).
 *
 * @example
 * ```ts
 * import { kernelSum, tensor } from "@kdeformer/kdeformer";
 * const { sum } = await kernelSum(tensor([0, 1], [2, 1]), { device: "reference" });
 * console.log(sum); // 2 + 2 exp(−1/2) = 3.21…
 * ```
 *
 * @param points [n, d]
 * @throws {TypeError} If the shape does not fit, or an option is unknown or of the wrong type.
 * @throws {RangeError} If a value or option is out of range.
 */
export async function kernelSum(points: Tensor, options: KernelSumOptions = {}): Promise<KernelSumResult> {
  const { target, bandwidth, kernel, device: choice, signal } = checkDensityOptions(options, {
    without: ["method", "densityFloor"],
    further: ["bandwidth", "kernel", "samples"],
  });
  const features = featuresOf("points", points), { samples } = options;
  if (samples !== undefined) checkInteger("sum a kernel matrix", "samples", samples, 2);
  // A copy, since the caller may go on with the array before the device is ready.
  const scaled = new CentredPoints(points.data.slice(), features, bandwidth), { count } = scaled;
  const plan = samples === undefined
    ? planSamples(count, target.epsilon, target.delta)
    : { groups: 1, perGroup: samples };
  const exact = plan.groups * plan.perGroup ** 2 >= count ** 2 || plan.perGroup >= count;
  const { groups, perGroup: size } = exact ? { groups: 1, perGroup: count } : plan;
  const sums = await runOn(choice, signal, async (backend) => {
    const found: number[] = [];
    for (let group = 0; group < groups; group++) {
      const stream = new RandomStream(target.seed, Purpose.pairs, group);
      const data = size === count
        ? scaled.data
        : pickRows(scaled.data, features, stream.distinct(size, count));
      const rows: KernelRows = { data, features, bandwidth: scaled.bandwidth, kernel };
      // A row is hidden from itself, since its 1 would swallow small sums in f32.
      const logSums = await logKernelSums(backend, rows, data, { excludeSelf: true, signal });
      found.push(Math.exp(logSumExp(logSums)));
    }
    return found.sort((a, b) => a - b);
  });
  const pairs = size > 1 ? sums[(groups - 1) / 2] * (count / size) * ((count - 1) / (size - 1)) : 0;
  return { sum: count + pairs, kernelEvaluations: groups * size ** 2, samples: size, groups };
}

/**
 * Sample size and number of samples, the median of which is taken. The relative variance of one estimate is at most 4 √n/m + 2 n/m²:
 * with s the sum of a positive semidefinite matrix of entries in [0, 1], Hoeffding's decomposition gives 4/m · n · Σ_i (row sum i)²/s² + 2/m² · n² Σ K²/s²; Σ (row sum)² <= λ s with λ <= √(Σ K²) <= √s, and s >= n.
 */
function planSamples(count: number, epsilon: number, delta: number): { groups: number; perGroup: number } {
  let best = { groups: 1, perGroup: Infinity };
  for (let groups = 1; groups <= 99; groups += 2) {
    const variance = epsilon ** 2 * groupFailure(groups, delta);
    // The positive root of variance · m² − 4 √n m − 2 n = 0.
    const half = 2 * Math.sqrt(count) / variance;
    const perGroup = Math.ceil(half + Math.sqrt(half ** 2 + 2 * count / variance));
    if (groups * perGroup ** 2 < best.groups * best.perGroup ** 2) best = { groups, perGroup };
  }
  return best;
}
