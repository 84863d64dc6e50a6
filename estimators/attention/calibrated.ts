import type { Backend } from "../../kernels/backend.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import type { Budget, CostedAttention } from "./approximate.ts";
import { exactAttention, PartCollector, uploadHeads } from "./exact.ts";
import { headChunks, type Progress } from "./head_chunks.ts";
import { kdeformerPractical } from "./kdeformer_practical.ts";
import { chooseProbes, type ProbeCounts } from "./probe_queries.ts";
import type { Problem } from "./problem.ts";

/** Of the budget, the parts spent on rows that are computed exactly; clusters take the rest. */
const UNIFORM_SHARE = 0.17, OUTLYING_SHARE = 0.08, HELD_OUT_SHARE = 0.05;
/** More rows would cost more in solving than they gain. */
const MOST_UNIFORM = 128, MOST_OUTLYING = 48, MOST_HELD_OUT = 32;
/** With fewer rows there is nothing to fit to, or to test by. */
const LEAST_UNIFORM = 4, LEAST_HELD_OUT = 6;
/**
 * What clusters follow: norms of the measured columns, and as much for keys that the probes did not see: where each
 * query looks to keys of its own, a few probes know nothing of most.
 */
const SHARES = { columnShare: 0.5, valueShare: 0, uniformShare: 0.5 };
/** The tree of clusters grows on a sample of the keys: on so many for each cluster, and no fewer than so many in all. */
const GROWN_PER_CLUSTER = 6, LEAST_GROWN = 512;
/** With fewer clusters what they leave out is not worth the time that a linear function takes. */
const FEW_CLUSTERS = 64;
/** Keys of a head from which that function is estimated, about. */
const SLOPE_SAMPLE = 512;
/** How much an outlying query counts beside a uniform one, of which each stands for many. */
const OUTLYING_WEIGHT = 0.05;

/**
 * Attention to a calibrated coreset: the keys of a head are replaced by a few weighted points, fitted to exact
 * softmax rows of some of its queries. The keys are clustered by bisection where those rows look; each cluster
 * becomes one point at its mean, whose mass and value match what the rows need; ridge regression corrects the
 * values; rows that had no part in it tell whether the fit is of use, and if it is not, it is shrunk towards the
 * mean value. What is computed exactly is returned exactly.
 *
 * Pairs of a query and a key count once in `keyEvaluations`, and so do the products that clustering takes.
 *
 * Where the budget covers all keys the result is exact, and where it is too small for rows to fit to, the practical
 * KDEformer stands in.
 *
 * @throws {RangeError} If the problem hides keys, or a head does not fit the device.
 */
export async function calibrated(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress = {},
): Promise<CostedAttention> {
  if (problem.causalOffset !== undefined || problem.logWeights !== undefined) {
    throw new RangeError("Cannot run calibrated: every key must be visible to every query: use method exact");
  }
  const { heads, queries, keys } = problem, perQuery = budget.bucketSize + budget.samples;
  const probes = countProbes(problem, perQuery), rows = probes.uniform + probes.outlying + probes.heldOut;
  const fits = canCalibrate(problem, budget);
  if (perQuery >= keys || (fits && rows >= queries)) {
    const result = await exactAttention(backend, problem, progress);
    return { ...result, keyEvaluations: heads * queries * keys };
  }
  if (!fits) return await kdeformerPractical(backend, problem, budget, progress);

  const parts = new PartCollector(), inRange = bringInRange(problem);
  let keyEvaluations = 0;
  // Softmax rows lie on the device as well.
  const sized = { ...problem, valueFeatures: Math.max(problem.valueFeatures, rows) };
  for (const { first, count, oversized } of headChunks(backend, sized, progress)) {
    if (oversized) {
      throw new RangeError(
        `Cannot run calibrated: one head must fit an array of ${backend.largestArrayBytes} bytes on ${backend.kind}: ` +
          `it has ${queries} queries and ${keys} keys; method exact splits heads`,
      );
    }
    const result = await runHeads(backend, inRange, budget, probes, first, count, progress.signal);
    parts.add([result.output, result.logSumExp]);
    keyEvaluations += result.keyEvaluations;
    backend.reset();
  }
  return { ...parts.result(), keyEvaluations };
}

/** Whether a budget pays for enough exact rows to fit to. */
export function canCalibrate(problem: Problem, { bucketSize, samples }: Budget): boolean {
  return countProbes(problem, bucketSize + samples).uniform >= LEAST_UNIFORM;
}

/** Whether a budget pays for enough points that what they leave out is worth a linear function of the query. */
export function fitsSlope(problem: Problem, { bucketSize, samples }: Budget): boolean {
  const { uniform, outlying, heldOut } = countProbes(problem, bucketSize + samples);
  const points = bucketSize + samples - (uniform + outlying + heldOut) * problem.keys / problem.queries;
  return points >= FEW_CLUSTERS && inRangeOfSlopes(problem);
}

/** One exact row costs as much as `keys / queries` keys for every query. */
function countProbes({ queries, keys }: Problem, perQuery: number): ProbeCounts {
  const affordable = perQuery * queries / keys;
  return {
    uniform: Math.min(MOST_UNIFORM, Math.floor(UNIFORM_SHARE * affordable)),
    outlying: Math.min(MOST_OUTLYING, Math.floor(OUTLYING_SHARE * affordable)),
    heldOut: Math.max(LEAST_HELD_OUT, Math.min(MOST_HELD_OUT, Math.round(HELD_OUT_SHARE * affordable))),
  };
}

/** Squares of keys must neither overflow nor underflow: a power of two goes from the keys to the scale. */
function bringInRange(problem: Problem): Problem {
  const { key, scale, largestKey } = problem;
  if (largestKey === 0 || Math.abs(Math.log2(largestKey)) < 24) return problem;
  const factor = 2 ** Math.ceil(Math.log2(largestKey));
  return {
    ...problem,
    key: key.map((x) => x / factor),
    scale: scale * factor,
    largestKey: largestKey / factor,
  };
}

/** One submission for a run of heads: exact rows, points where those look, attention to the points. */
async function runHeads(
  backend: Backend,
  problem: Problem,
  { bucketSize, samples, seed }: Budget,
  counts: ProbeCounts,
  firstHead: number,
  heads: number,
  signal?: AbortSignal,
): Promise<CostedAttention> {
  const { queries, keys, features, valueFeatures, scale, largestValue } = problem;
  const fitted = counts.uniform + counts.outlying, probes = fitted + counts.heldOut;
  const { query, key, value } = uploadHeads(backend, problem, firstHead, heads);
  const picks = pickProbes(problem, counts, seed, firstHead, heads);
  const probeRows = backend.gatherRows({
    rows: query,
    index: backend.upload(picks),
    heads,
    count: queries,
    width: features,
    picks: probes,
  });
  const shape = { heads, keys, features, valueFeatures, scale, key, value };
  const valueMean = backend.columnMean({ rows: value, heads, count: keys, width: valueFeatures });
  const exact = backend.attendProbes({ ...shape, query: probeRows, queries: probes });
  const budget = Math.min(2 ** 32 - 1, (bucketSize + samples) * queries - probes * keys);
  const valueScale = 1 / Math.max(largestValue, 1e-30);
  const most = Math.max(1, Math.min(keys, Math.floor(budget / queries)));
  const clusters = backend.bisectRows({
    rows: key,
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
  const slope = !fitsSlope(problem, { bucketSize, samples, seed }) ? undefined : backend.fitSlope({
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
  const sloped = slope
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
  const outputs = [sloped, attended.logSumExp, exact.output, exact.logSumExp];
  const read = await backend.run([...outputs, clusters.clusters, clusters.products], signal);
  const [output, logSumExp, exactOutput, exactSums] = read as Float32Array[];
  const [, , , , sizes, products] = read as Uint32Array[];
  picks.forEach((pick, at) => {
    const row = Math.floor(at / probes) * queries + pick, from = at * valueFeatures;
    output.set(exactOutput.subarray(from, from + valueFeatures), row * valueFeatures);
    logSumExp[row] = exactSums[at];
  });
  let keyEvaluations = heads * probes * keys;
  for (let head = 0; head < heads; head++) keyEvaluations += sizes[head] * queries + products[head];
  return { output, logSumExp, keyEvaluations };
}

/** Whether products of keys and values stay far from overflow. */
function inRangeOfSlopes({ scale, largestKey, largestValue }: Problem): boolean {
  return Math.max(1, Math.abs(scale)) * Math.max(1, largestKey) * Math.max(1, largestValue) < 2 ** 80;
}

/** The probes of several heads. */
function pickProbes(
  { query, queries, features, heads: allHeads }: Problem,
  counts: ProbeCounts,
  seed: number,
  firstHead: number,
  heads: number,
): Uint32Array {
  const probes = counts.uniform + counts.outlying + counts.heldOut, picks = new Uint32Array(heads * probes);
  for (let head = 0; head < heads; head++) {
    const stream = new RandomStream(seed, Purpose.probes, firstHead + head);
    const own = ofHead(query, firstHead + head, allHeads);
    picks.set(chooseProbes(own, queries, features, counts, stream), head * probes);
  }
  return picks;
}

/** The part of one head. */
function ofHead<T extends Float32Array | Uint32Array>(data: T, head: number, heads: number): T {
  const size = data.length / heads;
  return data.subarray(head * size, (head + 1) * size) as T;
}
