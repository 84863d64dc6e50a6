import type { Backend, DeviceArray } from "../../../kernels/backend.ts";
import type { Bisection, FittedPoints, FittedSlope } from "../../../kernels/coreset_primitives.ts";
import { ofHead } from "../../core/of_head.ts";
import { type HeldOutRows, sumsOfHead } from "../held_out.ts";
import { type Budget, type CostedAttention, perQuery } from "../method.ts";
import type { HeadRun } from "../run_heads.ts";
import { heldOutRows, placeExactRows, type ProbedHeads, probeHeads } from "../shared/probed_heads.ts";
import type { ProbeCounts } from "../shared/probe_queries.ts";
import type { Problem } from "../../core/problem.ts";
import { type Trial, TrialFailed } from "../trial.ts";

/**
 * What clusters follow: norms of the measured columns, and as much for keys that the probes did not see: where each
 * query looks to keys of its own, a few probes know nothing of most.
 */
const SHARES = { columnShare: 0.5, valueShare: 0, uniformShare: 0.5 };
/** The tree of clusters grows on a sample of the keys: on so many for each cluster, and no fewer than so many in all. */
const GROWN_PER_CLUSTER = 6, LEAST_GROWN = 512;
/** Keys of a head from which that function is estimated, about. */
const SLOPE_SAMPLE = 512;
/** How much an outlying query counts beside a uniform one, of which each stands for many. */
const OUTLYING_WEIGHT = 0.05;

/** What to do with a budget. */
export interface CalibrationPlan extends Budget {
  readonly counts: ProbeCounts;
  /** Whether to add a linear function of the query. */
  readonly sloped: boolean;
  /** Rows held out beside the budget. */
  readonly extraRows: number;
  readonly trial?: Trial;
}

/** A run of heads with points that stand for their keys. */
interface Coreset {
  readonly probed: ProbedHeads;
  readonly clusters: Bisection;
  readonly points: FittedPoints;
  readonly values: DeviceArray;
  readonly slope?: FittedSlope;
  readonly most: number;
}

/**
 * Exact rows for a run of heads, points where those look, attention to the points: one submission, or two where the points are
 * tried on the rows held out first.
 */
export async function calibrateHeads(
  backend: Backend,
  problem: Problem,
  plan: CalibrationPlan,
  run: HeadRun,
  signal?: AbortSignal,
): Promise<CostedAttention> {
  const coreset = fitCoreset(backend, problem, plan, run), { counts, trial } = plan;
  if (trial) {
    const tried = await tryPoints(backend, coreset, counts, signal), { queries } = coreset.probed;
    const sums = tried.heads.map((own) => sumsOfHead(own, own.exact, queries));
    const verdict = trial.judge(sums, tried.keyEvaluations);
    if (verdict === "stop") throw new TrialFailed(sums, tried.keyEvaluations);
    if (verdict === "exact") return await attendAllKeys(backend, coreset, tried, signal);
  }
  const { probed, clusters } = coreset, { queries, query, exact, valueMean, shape: { heads, keys } } = probed;
  const attended = attendPoints(backend, coreset, query, queries);
  const outputs = [attended.output, attended.logSumExp, exact.output, exact.logSumExp, valueMean];
  const read = await backend.run([...outputs, clusters.clusters, clusters.products], signal);
  const [output, logSumExp, exactOutput, exactSums, meanValue] = read as Float32Array[];
  const [sizes, products] = read.slice(outputs.length) as Uint32Array[];
  const heldOut = heldOutRows(probed, counts.heldOut, { output, logSumExp }, meanValue);
  placeExactRows(probed, { output, logSumExp }, { output: exactOutput, logSumExp: exactSums });
  let keyEvaluations = heads * probed.probes * keys;
  for (let head = 0; head < heads; head++) keyEvaluations += sizes[head] * queries + products[head];
  return { output, logSumExp, keyEvaluations, heldOut };
}

/** Records exact rows and the points fitted to them. */
function fitCoreset(backend: Backend, problem: Problem, plan: CalibrationPlan, run: HeadRun): Coreset {
  const { keys, features, valueFeatures, largestValue } = problem, heads = run.count;
  const { seed, counts, sloped } = plan;
  const fitted = counts.uniform + counts.outlying;
  const probed = probeHeads(backend, problem, counts, seed, run);
  const { shape, queries, valueMean, probes, probeRows, exact } = probed;
  const left = perQuery(plan) * queries - (probes - plan.extraRows) * keys;
  const budget = Math.max(queries, Math.min(2 ** 32 - 1, left));
  const valueScale = 1 / Math.max(largestValue, 1e-30);
  const most = Math.max(1, Math.min(keys, Math.floor(budget / queries)));
  const clusters = backend.bisectRows({
    rows: shape.key,
    heads,
    count: keys,
    width: features,
    weights: backend.keyImportance({
      ...shape,
      probabilities: exact.probabilities,
      probes,
      counted: fitted,
      centre: valueMean,
      valueScale,
      ...SHARES,
    }),
    grownOn: Math.max(LEAST_GROWN, GROWN_PER_CLUSTER * most),
    budget,
    perCluster: queries,
  });
  const fit = { probes, fitted, even: counts.uniform, otherWeight: OUTLYING_WEIGHT, most };
  const points = backend.fitPoints({
    ...shape,
    ...clusters,
    order: backend.sortByBucket({ ranks: clusters.labels, heads, count: keys, buckets: most }).order,
    query: probeRows,
    logSumExp: exact.logSumExp,
    probabilities: exact.probabilities,
    ...fit,
  });
  const slope = !sloped ? undefined : backend.fitSlope({
    ...shape,
    ...fit,
    query: probeRows,
    probabilities: exact.probabilities,
    labels: clusters.labels,
    points,
    exact: exact.output,
    approximate: backend.attend({
      ...shape,
      queries: probes,
      query: probeRows,
      keys: most,
      key: points.key,
      value: points.value,
      logWeights: points.logMass,
    }).output,
    sampled: SLOPE_SAMPLE,
    largestValue,
  });
  const values = backend.calibrateValues({
    logits: points.logits,
    value: points.value,
    clusters: clusters.clusters,
    output: slope?.output ?? exact.output,
    mean: valueMean,
    ...fit,
    heads,
    valueFeatures,
    largestValue,
  });
  return { probed, clusters, points, values, slope, most };
}

/** Attention of `count` rows for each head to its points. */
function attendPoints(
  backend: Backend,
  { probed: { shape }, points, values, slope, most }: Coreset,
  query: DeviceArray,
  count: number,
): { output: DeviceArray; logSumExp: DeviceArray } {
  const { heads, features, valueFeatures } = shape;
  const attended = backend.attend({
    ...shape,
    queries: count,
    query,
    keys: most,
    key: points.key,
    value: values,
    logWeights: points.logMass,
  });
  if (!slope) return attended;
  const corrected = backend.addLinear({
    ...slope,
    heads,
    count,
    features,
    valueFeatures,
    rows: attended.output,
    query,
  });
  return { output: corrected, logSumExp: attended.logSumExp };
}

/** What points say of the rows held out. */
interface TriedRows {
  /** The rows of each head, and their exact outputs. */
  readonly heads: readonly (HeldOutRows & { readonly exact: Float32Array })[];
  /** What rows and points took. */
  readonly keyEvaluations: number;
}

/** Attention of the rows held out, before that of all others. */
async function tryPoints(
  backend: Backend,
  coreset: Coreset,
  { heldOut: rows }: ProbeCounts,
  signal?: AbortSignal,
): Promise<TriedRows> {
  const { probed: { shape, queries, query, picks, probes, exact, valueMean } } = coreset;
  const { heads, keys, features, valueFeatures } = shape;
  const held = new Uint32Array(heads * rows);
  for (let head = 0; head < heads; head++) {
    held.set(picks.subarray((head + 1) * probes - rows, (head + 1) * probes), head * rows);
  }
  const own = backend.gatherRows({
    rows: query,
    index: backend.upload(held),
    heads,
    count: queries,
    width: features,
    picks: rows,
  });
  const attended = attendPoints(backend, coreset, own, rows);
  const outputs = [attended.output, attended.logSumExp, exact.output, valueMean];
  const read = await backend.run([...outputs, coreset.clusters.products], signal);
  const [output, logSumExp, exactOutput, meanValue] = read as Float32Array[];
  const products = read[outputs.length] as Uint32Array;
  const tried = (head: number) => ({
    picks: ofHead(held, head, heads),
    output: ofHead(output, head, heads),
    logSumExp: ofHead(logSumExp, head, heads),
    meanValue: ofHead(meanValue, head, heads),
    standFor: queries - probes,
    exact: ofHead(exactOutput, head, heads).subarray((probes - rows) * valueFeatures),
  });
  return {
    heads: Array.from({ length: heads }, (_, head) => tried(head)),
    keyEvaluations: products.reduce((sum, each) => sum + each, heads * probes * keys),
  };
}

/** Exact attention of heads that are on the device already. */
async function attendAllKeys(
  backend: Backend,
  { probed }: Coreset,
  tried: TriedRows,
  signal?: AbortSignal,
): Promise<CostedAttention> {
  const { shape, queries, query } = probed, { heads, keys } = shape;
  const attended = backend.attend({ ...shape, queries, query });
  const [output, logSumExp] = await backend.run(
    [attended.output, attended.logSumExp],
    signal,
  ) as Float32Array[];
  const heldOut = tried.heads.map((own) => ({ ...own, standFor: 0 }));
  const keyEvaluations = tried.keyEvaluations + heads * queries * keys;
  return { output, logSumExp, keyEvaluations, heldOut, exact: true };
}
