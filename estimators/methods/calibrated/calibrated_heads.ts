import type { Backend } from "../../../kernels/backend.ts";
import { type Budget, type CostedAttention, perQuery } from "../method.ts";
import type { HeadRun } from "../run_heads.ts";
import { placeExactRows, probeHeads } from "./probed_heads.ts";
import type { ProbeCounts } from "./probe_queries.ts";
import type { Problem } from "../../core/problem.ts";

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
}

/** One submission for a run of heads: exact rows, points where those look, attention to the points. */
export async function calibrateHeads(
  backend: Backend,
  problem: Problem,
  plan: CalibrationPlan,
  run: HeadRun,
  signal?: AbortSignal,
): Promise<CostedAttention> {
  const { keys, features, valueFeatures, largestValue } = problem, heads = run.count;
  const { seed, counts, sloped } = plan;
  const fitted = counts.uniform + counts.outlying;
  const probed = probeHeads(backend, problem, counts, seed, run);
  const { shape, queries, query, valueMean, probes, probeRows, exact } = probed;
  const budget = Math.min(2 ** 32 - 1, perQuery(plan) * queries - probes * keys);
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
  const attended = backend.attend({
    ...shape,
    queries,
    query,
    keys: most,
    key: points.key,
    value: values,
    logWeights: points.logMass,
  });
  const corrected = slope
    ? backend.addLinear({
      ...slope,
      heads,
      count: queries,
      features,
      valueFeatures,
      rows: attended.output,
      query,
    })
    : attended.output;
  const outputs = [corrected, attended.logSumExp, exact.output, exact.logSumExp];
  const read = await backend.run([...outputs, clusters.clusters, clusters.products], signal);
  const [output, logSumExp, exactOutput, exactSums] = read as Float32Array[];
  const [, , , , sizes, products] = read as Uint32Array[];
  placeExactRows(probed, { output, logSumExp }, { output: exactOutput, logSumExp: exactSums });
  let keyEvaluations = heads * probes * keys;
  for (let head = 0; head < heads; head++) keyEvaluations += sizes[head] * queries + products[head];
  return { output, logSumExp, keyEvaluations };
}
