import { type Backend, EMPTY, MASKED } from "../../kernels/backend.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { exactAttention } from "../core/exact.ts";
import { pickRows } from "../linear_algebra/pick_rows.ts";
import { type DensityRows, seenRows } from "./density_rows.ts";

/** Options of {@link kernelRowMeans}. */
export interface RowMeanOptions {
  /** Keys that stand for all in each mean, at least 2; all by default. */
  readonly samples?: number;
  /** Integer in [0, 2^53). */
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

/** Row means of the kernel matrices of all heads. */
export interface RowMeans {
  /** [heads, keys]: (1/n) Σ_i exp(−‖x_i − x_j‖²/2) over the n keys that are not hidden; 0 for hidden ones. */
  readonly means: Float64Array;
  /** Kernel values that were computed. */
  readonly kernelEvaluations: number;
}

/**
 * Row means of a Gaussian kernel matrix: a kernel density estimate at each of its points. Exact ones take n² kernel values, which
 * a device computes as the log-sum-exps of an attention with distances for logits. Sampled ones take n · samples: keys drawn uniformly
 * without replacement, the same for all rows, and each row's own 1 apart, so that the estimate is unbiased:
 * 1/n + (1 − 1/n) · (mean over the sampled keys but itself). By Hoeffding's inequality no mean of n is off by more than
 * √(ln(2n/δ)/(2 (samples − 1))) with probability 1 − δ.
 */
export async function kernelRowMeans(
  backend: Backend,
  rows: DensityRows,
  { samples = Infinity, seed = 0, signal }: RowMeanOptions = {},
): Promise<RowMeans> {
  const { heads, keys } = rows;
  const seen = Array.from({ length: heads }, (_, head) => seenRows(head, keys, rows.logWeights));
  if (seen.every(({ length }) => length <= samples)) {
    const sums = await kernelSums(backend, rows, rows.data, keys, rows.logWeights, signal);
    const means = new Float64Array(heads * keys);
    for (const own of seen) for (const row of own) means[row] = sums[row] / own.length;
    return { means, kernelEvaluations: seen.reduce((sum, { length }) => sum + length ** 2, 0) };
  }
  const drawn = seen.map((own, head) =>
    own.length <= samples
      ? own
      : new RandomStream(seed, Purpose.rowMeans, head).distinct(samples, own.length).map((at) => own[at])
  );
  // Heads with fewer keys are filled up with rows that weigh nothing.
  const most = Math.max(...drawn.map(({ length }) => length));
  const picked = new Float32Array(heads * most * rows.width);
  const weights = new Float32Array(heads * most).fill(EMPTY);
  drawn.forEach((own, head) => {
    picked.set(pickRows(rows.data, rows.width, own), head * most * rows.width);
    weights.fill(0, head * most, head * most + own.length);
  });
  const sums = await kernelSums(backend, rows, picked, most, weights, signal);
  const means = new Float64Array(heads * keys);
  let kernelEvaluations = 0;
  seen.forEach((own, head) => {
    const sampled = new Set(drawn[head]), n = own.length, m = sampled.size;
    kernelEvaluations += n * m;
    for (const row of own) {
      const itself = sampled.has(row) ? 1 : 0;
      const others = m > itself ? Math.max(0, sums[row] - itself) / (m - itself) : 0;
      means[row] = m === n ? sums[row] / n : 1 / n + (1 - 1 / n) * others;
    }
  });
  return { means, kernelEvaluations };
}

/**
 * [heads, keys]: Σ_i w_i exp(−‖x_i − y_j‖²/2) of each row y_j over `count` points x_i of its head with weights e^logWeights.
 *
 * @param points [heads, count, width]
 * @param logWeights [heads, count]; at or below MASKED for a weight of 0
 */
export async function kernelSums(
  backend: Backend,
  { data, heads, keys, width }: DensityRows,
  points: Float32Array,
  count: number,
  logWeights?: Float32Array,
  signal?: AbortSignal,
): Promise<Float64Array> {
  const { logSumExp } = await exactAttention(backend, {
    query: data,
    key: points,
    value: new Float32Array(heads * count),
    heads,
    queries: keys,
    keys: count,
    features: width,
    valueFeatures: 1,
    scale: 1,
    distances: true,
    period: keys,
    logWeights,
    largestKey: 0,
    largestValue: 0,
    outputShape: [heads, keys, 1],
  }, { signal });
  return Float64Array.from(logSumExp, (log) => log <= MASKED ? 0 : Math.exp(log));
}
