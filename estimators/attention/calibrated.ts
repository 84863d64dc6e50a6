import { type Backend, type DeviceArray, EMPTY } from "../../kernels/backend.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import type { Budget, CostedAttention } from "./approximate.ts";
import { calibrateValues } from "./calibrate_values.ts";
import {
  clusterCoreset,
  type Coreset,
  coresetOutput,
  coresetProducts,
  coresetRows,
  type ProbedHead,
} from "./coreset.ts";
import { exactAttention, PartCollector, uploadHeads } from "./exact.ts";
import { headChunks, type Progress } from "./head_chunks.ts";
import { kdeformerPractical } from "./kdeformer_practical.ts";
import { chooseProbes, type ProbeCounts } from "./probe_queries.ts";
import type { Problem } from "./problem.ts";
import { shrinkUseless } from "./shrink_useless.ts";

/** Of the budget, the parts spent on rows that are computed exactly; clusters take the rest. */
const UNIFORM_SHARE = 0.2, OUTLYING_SHARE = 0.08, HELD_OUT_SHARE = 0.05;
/** More rows would cost more in solving than they gain. */
const MOST_UNIFORM = 128, MOST_OUTLYING = 48, MOST_HELD_OUT = 32;
/** With fewer rows there is nothing to fit to, or to test by. */
const LEAST_UNIFORM = 4, LEAST_HELD_OUT = 6;
/**
 * What clusters follow: norms of the measured columns, and as much for keys that the probes did not see: where each
 * query looks to keys of its own, a few probes know nothing of most.
 */
const SHARES = { columnShare: 0.5, valueShare: 0, uniformShare: 0.5 };
/** How much an outlying query counts beside a uniform one, of which each stands for many. */
const OUTLYING_WEIGHT = 0.05;

/**
 * Attention to a calibrated coreset: the keys of a head are replaced by a few weighted points, fitted to exact
 * softmax rows of some of its queries. The keys are clustered by bisection where those rows look; each cluster
 * becomes one point at its mean, whose mass and value match what the rows need; ridge regression corrects the
 * values; rows that had no part in it tell whether the fit is of use, and if it is not, it is shrunk towards the
 * mean value. What is computed exactly is returned exactly.
 *
 * Pairs of a query and a key count once in `keyEvaluations`, also those of which both the probability and the part
 * in the output are needed, which are computed by two kernels; products that clustering takes count as pairs.
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

/** Two submissions for a run of heads: exact rows, and clusters where those look; attention to the points fitted to them. */
async function runHeads(
  backend: Backend,
  problem: Problem,
  { bucketSize, samples, seed }: Budget,
  probes: ProbeCounts,
  firstHead: number,
  heads: number,
  signal?: AbortSignal,
): Promise<CostedAttention> {
  const { queries, keys, features, valueFeatures, scale } = problem;
  const fitRows = probes.uniform + probes.outlying, rows = fitRows + probes.heldOut;
  const { query, key: rawKey, value: rawValue } = uploadHeads(backend, problem, firstHead, heads);
  const picks = pickProbes(problem, probes, seed, firstHead, heads);
  const centred = (rows: DeviceArray, width: number) => {
    const shape = { rows, heads, count: keys, width }, centre = backend.columnMean(shape);
    return { centre, rows: backend.centreRows({ ...shape, centre }) };
  };
  const { centre: keyMean, rows: key } = centred(rawKey, features);
  const { centre: valueMean, rows: value } = centred(rawValue, valueFeatures);
  const gather = (picks: Uint32Array) =>
    backend.gatherRows({
      rows: query,
      index: backend.upload(picks),
      heads,
      count: queries,
      width: features,
      picks: picks.length / heads,
    });
  const shape = { heads, keys, features, valueFeatures, scale, key };
  const probabilities = backend.softmaxRows({ ...shape, query: gather(picks.fit), queries: fitRows });
  const clusters = backend.bisectRows({
    rows: key,
    weights: backend.keyImportance({
      ...shape,
      probabilities,
      probes: fitRows,
      value: rawValue,
      centre: valueMean,
      valueScale: 1 / Math.max(problem.largestValue, 1e-30),
      ...SHARES,
    }),
    heads,
    count: keys,
    width: features,
    budget: Math.min(2 ** 32 - 1, (bucketSize + samples) * queries - rows * keys),
    perCluster: queries,
  });
  const exact = backend.attend({ ...shape, value, query: gather(picks.all), queries: rows });
  // By how much the logits of each query fall when the keys are centred.
  const offsets = backend.innerProducts({
    rows: query,
    directions: keyMean,
    heads,
    count: queries,
    width: features,
    projections: 1,
  });
  const outputs = [exact.output, exact.logSumExp, keyMean, valueMean, probabilities, offsets];
  const words = [clusters.labels, clusters.clusters, clusters.products];
  const read = await backend.run([...outputs, ...words], signal);
  const omega = Float64Array.from({ length: fitRows }, (_, i) => i < probes.uniform ? 1 : OUTLYING_WEIGHT);
  const coresets = Array.from({ length: heads }, (_, head): Coreset => {
    const [output, logSumExp, keyMean, valueMean, probabilities] = read.slice(0, 5).map((data) =>
      ofHead(data as Float32Array, head, heads)
    );
    const own = (data: Float32Array) => ofHead(data, firstHead + head, problem.heads);
    const known: ProbedHead = {
      keys,
      features,
      valueFeatures,
      scale,
      query: gatherDoubles(own(problem.query), features, ofHead(picks.all, head, heads)),
      probabilities,
      output: new Float64Array(output),
      logSumExp: new Float64Array(logSumExp),
      key: own(problem.key),
      keyMean,
      value: own(problem.value),
      valueMean,
    };
    return fit(
      known,
      ofHead(read[6] as Uint32Array, head, heads),
      read[7][head],
      omega,
      problem.largestValue,
    );
  });

  const points = stack(coresets, read[3] as Float32Array, features, valueFeatures);
  const attended = backend.attend({
    heads,
    queries,
    keys: points.size,
    features,
    valueFeatures,
    scale,
    query,
    key: backend.upload(points.key),
    value: backend.upload(points.value),
    logWeights: backend.upload(points.bias),
  });
  const [output, logSumExp] = await backend.run(
    [attended.output, attended.logSumExp],
    signal,
  ) as Float32Array[];
  let keyEvaluations = heads * rows * keys;
  coresets.forEach(({ size }, head) => {
    const outputs = ofHead(output, head, heads);
    const [exactOutput, exactSums, , mean] = read.slice(0, 4).map((data) =>
      ofHead(data as Float32Array, head, heads)
    );
    ofHead(picks.all, head, heads).forEach((row, at) => {
      logSumExp[head * queries + row] = exactSums[at];
      for (let c = 0; c < valueFeatures; c++) {
        outputs[row * valueFeatures + c] = exactOutput[at * valueFeatures + c] + mean[c];
      }
    });
    keyEvaluations += size * queries + read[8][head];
  });
  for (let at = 0; at < logSumExp.length; at++) logSumExp[at] += scale * read[5][at];
  return { output, logSumExp, keyEvaluations };
}

/** The probes of several heads: those to fit to alone, and all. */
function pickProbes(
  { query, queries, features, heads: allHeads }: Problem,
  probes: ProbeCounts,
  seed: number,
  firstHead: number,
  heads: number,
): { fit: Uint32Array; all: Uint32Array } {
  const fitRows = probes.uniform + probes.outlying, rows = fitRows + probes.heldOut;
  const fit = new Uint32Array(heads * fitRows), all = new Uint32Array(heads * rows);
  for (let head = 0; head < heads; head++) {
    const stream = new RandomStream(seed, Purpose.probes, firstHead + head);
    const own = ofHead(query, firstHead + head, allHeads);
    const picks = chooseProbes(own, queries, features, probes, stream);
    all.set(picks, head * rows);
    fit.set(picks.subarray(0, fitRows), head * fitRows);
  }
  return { fit, all };
}

/**
 * The coreset of one head, its values calibrated, and shrunk if they are of no use. No point has a value beyond the
 * largest there is, and outputs are means of the values of points.
 */
function fit(
  known: ProbedHead,
  labels: Uint32Array,
  size: number,
  omega: Float64Array,
  largestValue: number,
): Coreset {
  const { features, valueFeatures, scale, query, output, valueMean } = known, fitted = omega.length;
  const plain = clusterCoreset(known, labels, size, omega);
  const calibrated = calibrateValues(known, plain, omega);
  if (calibrated) limitValues(calibrated, valueMean, largestValue);
  const coreset = calibrated ? { ...plain, value: calibrated } : plain;
  const heldOut = output.length / valueFeatures - fitted;
  const products = coresetProducts(query.subarray(fitted * features), heldOut, coreset);
  const predicted = coresetOutput(coresetRows(products, coreset, scale), heldOut, coreset);
  const factor = shrinkUseless(predicted, output.subarray(fitted * valueFeatures), valueFeatures);
  return factor === 1 ? coreset : { ...coreset, value: coreset.value.map((z) => factor * z) };
}

/** Keeps the entries of centred values [size, width], with their mean [width] added, within ±largest, in place. */
export function limitValues(values: Float64Array, mean: Float32Array, largest: number): void {
  for (let at = 0; at < values.length;) {
    for (let c = 0; c < mean.length; c++, at++) {
      values[at] = Math.min(largest - mean[c], Math.max(-largest - mean[c], values[at]));
    }
  }
}

/**
 * Coresets of several heads as keys, values and log-weights; short ones are filled up with hidden points. The values
 * are no longer centred: the means [heads, valueFeatures] are added back.
 */
function stack(
  coresets: readonly Coreset[],
  valueMean: Float32Array,
  features: number,
  valueFeatures: number,
) {
  const size = coresets.reduce((most, { size }) => Math.max(most, size), 0);
  const key = new Float32Array(coresets.length * size * features);
  const value = new Float32Array(coresets.length * size * valueFeatures);
  const bias = new Float32Array(coresets.length * size).fill(EMPTY);
  coresets.forEach((coreset, head) => {
    key.set(coreset.key, head * size * features);
    const mean = ofHead(valueMean, head, coresets.length);
    for (let at = 0, to = head * size * valueFeatures; at < coreset.value.length;) {
      for (let c = 0; c < valueFeatures; c++, at++, to++) value[to] = coreset.value[at] + mean[c];
    }
    bias.set(coreset.bias, head * size);
  });
  return { size, key, value, bias };
}

function gatherDoubles(rows: Float32Array, width: number, picks: Uint32Array): Float64Array {
  const gathered = new Float64Array(picks.length * width);
  for (let at = 0, to = 0; at < picks.length; at++) {
    for (let from = picks[at] * width, end = from + width; from < end; from++, to++) {
      gathered[to] = rows[from];
    }
  }
  return gathered;
}

/** The part of one head. */
function ofHead<T extends Float32Array | Uint32Array>(data: T, head: number, heads: number): T {
  const size = data.length / heads;
  return data.subarray(head * size, (head + 1) * size) as T;
}
