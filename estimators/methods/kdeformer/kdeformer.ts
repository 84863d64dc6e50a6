import { rowMean } from "../../kde/centred_points.ts";
import { type DensityEstimate, type DensityTarget, Evaluations, type FitDensity } from "../../kde/density.ts";
import { squaredNorms } from "../../kde/log_domain.ts";
import { WeightedExponential } from "../../kde/weighted_exponential.ts";
import type { Backend } from "../../../kernels/backend.ts";
import { Purpose, RandomStream } from "../../../kernels/random.ts";
import { bernsteinSamples, productError } from "./bernstein.ts";
import { drawKeys, keyProbabilities } from "./draw_keys.ts";
import { exactAttention } from "../../core/exact.ts";
import type { Progress } from "../../core/head_chunks.ts";
import type { Problem } from "../../core/problem.ts";
import { pickRows } from "../../linear_algebra/pick_rows.ts";
import { lowerOperatorNorm, squaredLength } from "../../linear_algebra/lower_operator_norm.ts";
import { requireEveryKey } from "../run_heads.ts";

/** What Algorithm 1 is asked for. */
export interface KdeformerTarget extends DensityTarget {
  /** Estimator of densities, for row sums and column norms. */
  readonly fit: FitDensity;
  /** Keys to sample; left out: as many as epsilon and delta ask for. */
  readonly samples?: number;
  /** Attends exactly to heads whose densities, with the samples, turn out to cost no less than that. */
  readonly exactIfCheaper?: boolean;
}

/** What Algorithm 1 did. */
export interface KdeformerResult {
  /** [heads, queries, valueFeatures] */
  readonly output: Float32Array;
  /** [heads, queries]: ln D~ */
  readonly logSumExp: Float32Array;
  /** Kernel values and inner products of a query and a key, over all heads; a hash counts as one of each function. */
  readonly keyEvaluations: number;
  /** [heads], without those that were attended exactly. */
  readonly heads: readonly KdeformerHead[];
}

/** What Algorithm 1 found about one head. */
export interface KdeformerHead {
  /** [queries]: ln D~, within ln(1 ± epsilon/3) of the row sums, but where {@link repairRowSums} saw that they were not. */
  readonly logRowSums: Float64Array;
  /** [keys]: ln of the squared column norms of P, within a third. */
  readonly logColumnNorms: Float64Array;
  /** Keys drawn, with repetition. */
  readonly samples: number;
  /** Different keys among them: what is evaluated. */
  readonly distinct: number;
  /** Keys that epsilon and delta ask for by the matrix Bernstein inequality. */
  readonly bernsteinSamples: number;
  /** True when those are more than there are keys: exact attention costs less than the guarantee. */
  readonly exceedsKeys: boolean;
  /** Upper bounds on the stable ranks of P and V. */
  readonly stableRanks: { readonly softmax: number; readonly value: number };
}

/** Relative error of the squared column norms. */
export const COLUMN_ERROR: number = 1 / 3;
/** ln of how much larger than D~ a sample's estimate of a row sum is before D~ is looked at. */
const SUSPICIOUS = Math.LN2;

/**
 * Algorithm 1 of Zandieh, Han, Daliri and Karbasi, "KDEformer: Accelerating Transformers via Kernel Density Estimation"
 * (ICML 2023): row sums of A = exp(QKᵀ) to epsilon/3 and squared column norms of P = D⁻¹A to a third by weighted kernel density estimation,
 * keys drawn independently with p = half the share of the squared column norm + half the share of ‖v‖², output D~⁻¹ (A Πᵀ)(Π V). With
 * probability 1 − delta, ‖output − P V‖ <= epsilon ‖P‖‖V‖ when `samples` is left out.
 *
 * @throws {RangeError} If the problem hides keys.
 */
export async function kdeformer(
  backend: Backend,
  problem: Problem,
  target: KdeformerTarget,
  progress: Progress = {},
): Promise<KdeformerResult> {
  requireEveryKey("kdeformer", problem);
  const { queries, valueFeatures } = problem, cost = new Evaluations();
  const output = new Float32Array(problem.heads * queries * valueFeatures);
  const logSumExp = new Float32Array(problem.heads * queries), heads: KdeformerHead[] = [];
  const quiet: Progress = { signal: progress.signal };
  let sampled = 0;
  for (let head = 0; head < problem.heads; head++) {
    progress.signal?.throwIfAborted();
    progress.onProgress?.(head, problem.heads);
    const one = oneHead(problem, head);
    const found = await measureHead(backend, one, target, cost, progress.signal);
    if (!found) {
      const exact = await exactAttention(backend, one, quiet);
      output.set(exact.output, head * exact.output.length);
      logSumExp.set(exact.logSumExp, head * queries);
      sampled += queries * problem.keys;
      continue;
    }
    const samples = target.samples ?? found.bernsteinSamples;
    const drawn = drawKeys(
      keyProbabilities(found.logColumnNorms, squaredNorms(one.value, valueFeatures)),
      samples,
      new RandomStream(target.seed, Purpose.keys, head),
    );
    const sample: Problem = {
      ...one,
      keys: drawn.index.length,
      key: pickRows(one.key, one.features, drawn.index),
      value: pickRows(one.value, valueFeatures, drawn.index),
      logWeights: drawn.logWeights,
    };
    const { output: mean, logSumExp: sampleSums } = await exactAttention(backend, sample, quiet);
    sampled += await repairRowSums(backend, sample, found.logRowSums, sampleSums, target.epsilon, quiet);
    // Attention divides by the sample's own row sums: put D~ in their place.
    for (let at = 0; at < mean.length; at++) {
      const row = Math.floor(at / valueFeatures);
      output[head * mean.length + at] = mean[at] * Math.exp(sampleSums[row] - found.logRowSums[row]);
    }
    logSumExp.set(found.logRowSums, head * queries);
    sampled += queries * drawn.index.length;
    heads.push({ ...found, samples, distinct: drawn.index.length });
  }
  progress.onProgress?.(problem.heads, problem.heads);
  return { output, logSumExp, heads, keyEvaluations: sampled + evaluations(cost) };
}

/** Evaluations of any kind. */
function evaluations(
  { kernelEvaluations, hashEvaluations, buildEvaluations }: Omit<DensityEstimate, "logDensity">,
): number {
  return kernelEvaluations + hashEvaluations + buildEvaluations;
}

/**
 * A row sum is at least that of any of its terms. Where the sampled keys alone have more than D~ may be wrong by, its density
 * was below the floor or lost to rounding, and dividing by it would give numbers without bound: the sample's own estimate of
 * the row sum takes its place, and the output is a mean of sampled values.
 *
 * @returns Inner products that this took.
 */
async function repairRowSums(
  backend: Backend,
  sample: Problem,
  logRowSums: Float64Array,
  sampleSums: Float32Array,
  epsilon: number,
  progress: Progress,
): Promise<number> {
  const { features, keys } = sample;
  // Written so that NaN is suspect.
  const suspect = Uint32Array.from(logRowSums.keys()).filter((row) =>
    !(sampleSums[row] - logRowSums[row] <= SUSPICIOUS)
  );
  if (suspect.length === 0) return 0;
  const { logSumExp: sums } = await exactAttention(backend, {
    ...sample,
    query: pickRows(sample.query, features, suspect),
    queries: suspect.length,
    period: suspect.length,
    value: new Float32Array(keys),
    valueFeatures: 1,
    logWeights: undefined,
  }, progress);
  const allowed = -Math.log(1 - epsilon / 3);
  suspect.forEach((row, at) => {
    if (!(sums[at] - logRowSums[row] <= allowed)) logRowSums[row] = sampleSums[row];
  });
  return suspect.length * keys;
}

/**
 * One head, with the scale in its queries and keys, split so that both spread alike: densities are largest then.
 */
function oneHead(problem: Problem, head: number): Problem {
  const { queries, keys, features, valueFeatures, scale } = problem;
  const part = (data: Float32Array, size: number) => data.subarray(head * size, (head + 1) * size);
  const query = part(problem.query, queries * features), key = part(problem.key, keys * features);
  const querySpread = spread(query, features) * Math.abs(scale), keySpread = spread(key, features);
  const balance = querySpread > 0 && keySpread > 0 ? Math.sqrt(keySpread / querySpread) : 1;
  return {
    ...problem,
    heads: 1,
    query: query.map((x) => x * scale * balance),
    key: key.map((x) => x / balance),
    value: part(problem.value, keys * valueFeatures),
    scale: 1,
  };
}

/** Root mean square distance of rows from their mean. */
function spread(rows: Float32Array, features: number): number {
  const mean = rowMean(rows, features);
  const sum = rows.reduce((sum, x, at) => sum + (x - mean[at % features]) ** 2, 0);
  return Math.sqrt(sum * features / rows.length);
}

type Measured = Omit<KdeformerHead, "samples" | "distinct">;

/**
 * Row sums, column norms, stable ranks, and the number of samples that follows from them; null where exact attention is asked
 * for as soon as it costs no more.
 */
async function measureHead(
  backend: Backend,
  { query, key, value, queries, keys, features, valueFeatures }: Problem,
  { epsilon, delta, fit, samples, exactIfCheaper, ...target }: KdeformerTarget,
  cost: Evaluations,
  signal?: AbortSignal,
): Promise<Measured | null> {
  const rowTarget = { ...target, epsilon: epsilon / 3, delta: delta / (3 * queries) };
  const byRow = new WeightedExponential(
    backend,
    key,
    features,
    new Float64Array(keys),
    rowTarget,
    fit,
    rowMean(query, features),
  );
  const rowSums = await byRow.logSums(query, signal);
  cost.add(rowSums);
  const costsAsMuch = (...found: readonly DensityEstimate[]) =>
    exactIfCheaper &&
    found.reduce((sum, one) => sum + evaluations(one), (samples ?? 0) * queries) >= queries * keys;
  if (costsAsMuch(rowSums)) return null;

  const doubled = (rows: Float32Array) => rows.map((x) => x * Math.SQRT2);
  const columnTarget = { ...target, epsilon: COLUMN_ERROR, delta: delta / (3 * keys) };
  const squaredQuery = doubled(query), squaredKey = doubled(key);
  const logWeights = rowSums.logDensity.map((sum) => -2 * sum);
  const byColumn = new WeightedExponential(
    backend,
    squaredQuery,
    features,
    logWeights,
    columnTarget,
    fit,
    rowMean(squaredKey, features),
  );
  const columnNorms = await byColumn.logSums(squaredKey, signal);
  cost.add(columnNorms);
  if (costsAsMuch(rowSums, columnNorms)) return null;

  // No entry of P is above 1, and so no squared norm above the number of its rows.
  const logColumnNorms = columnNorms.logDensity.map((log) => Math.min(log, Math.log(queries)));
  const column = logColumnNorms.map((log) => Math.exp(log));
  const stableRanks = {
    softmax: softmaxStableRank(column, queries, keys, epsilon),
    value: valueStableRank(value, valueFeatures),
  };
  const needed = bernsteinSamples({
    epsilon: productError(epsilon),
    delta: delta / 3,
    dimensions: queries + valueFeatures,
    stableRank: Math.max(stableRanks.softmax, stableRanks.value),
    // Norms too small against their sum, which may be too large; D~ enters both squared.
    looseness: (1 + COLUMN_ERROR) / (1 - COLUMN_ERROR) * ((1 + epsilon / 3) / (1 - epsilon / 3)) ** 2,
  });
  return {
    logRowSums: rowSums.logDensity,
    logColumnNorms,
    bernsteinSamples: needed,
    exceedsKeys: needed > keys,
    stableRanks,
  };
}

/** ‖P‖_F² at most, over ‖P‖² at least: it maps 1 to 1, and no column is longer than its norm. */
function softmaxStableRank(column: Float64Array, queries: number, keys: number, epsilon: number): number {
  const error = (1 + epsilon / 3) ** 2;
  const frobeniusSquared = column.reduce((a, b) => a + b, 0) * error / (1 - COLUMN_ERROR);
  const longest = column.reduce((a, b) => Math.max(a, b), 0) * (1 - epsilon / 3) ** 2 / (1 + COLUMN_ERROR);
  return Math.max(1, Math.min(queries, keys, frobeniusSquared / Math.max(queries / keys, longest)));
}

/** At most a little too large: the norm is approached from below. */
function valueStableRank(value: Float32Array, valueFeatures: number): number {
  const { norm } = lowerOperatorNorm(value, value.length / valueFeatures, valueFeatures);
  return norm > 0 ? squaredLength(value) / norm ** 2 : 1;
}
