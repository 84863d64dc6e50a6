import { type Backend, EMPTY } from "../../kernels/backend.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import type { Budget, CostedAttention } from "./approximate.ts";
import { calibrateValues } from "./calibrate_values.ts";
import { columnWeights } from "./column_weights.ts";
import { clusterCoreset, type Coreset, coresetOutput, coresetRows, type ProbedHead } from "./coreset.ts";
import { exactAttention, PartCollector, uploadHeads } from "./exact.ts";
import { headChunks, type Progress } from "./head_chunks.ts";
import { kdeformerPractical } from "./kdeformer_practical.ts";
import { chooseProbes, type ProbeCounts } from "./probe_queries.ts";
import type { Problem } from "./problem.ts";
import { shrinkUseless } from "./shrink_useless.ts";
import { clip, type ValueBox, valueBox } from "./value_box.ts";

/** Of the budget, the parts spent on rows that are computed exactly; clusters take the rest. */
const UNIFORM_SHARE = 0.3, OUTLYING_SHARE = 0.12, HELD_OUT_SHARE = 0.05;
/** More rows would cost more in solving than they gain. */
const MOST_UNIFORM = 160, MOST_OUTLYING = 64, MOST_HELD_OUT = 64;
/** With fewer rows there is nothing to fit to, or to test by. */
const LEAST_UNIFORM = 16, LEAST_HELD_OUT = 6;
/** How much an outlying query counts beside a uniform one, of which each stands for many. */
const OUTLYING_WEIGHT = 0.05;

/**
 * Attention to a calibrated coreset: the keys of a head are replaced by a few weighted points, fitted to exact softmax rows of
 * some of its queries. The keys are clustered by bisection where those rows look; each cluster becomes one point at its mean, whose mass
 * and value match what the rows need; ridge regression corrects the values; rows that had no part in it tell whether the fit is of use, and
 * if it is not, it is shrunk towards the mean value. What is computed exactly is returned exactly.
 *
 * Where the budget covers all keys the result is exact, and where it is too small for rows to fit to, the practical KDEformer
 * stands in.
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
  if (perQuery >= keys || rows >= queries) {
    const result = await exactAttention(backend, problem, progress);
    return { ...result, keyEvaluations: heads * queries * keys };
  }
  if (probes.uniform < LEAST_UNIFORM) return await kdeformerPractical(backend, problem, budget, progress);

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

/** Three submissions for a run of heads: exact rows; clusters that follow them; attention to the fitted points. */
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
  const rows = probes.uniform + probes.outlying + probes.heldOut, fitRows = rows - probes.heldOut;
  const omega = Float64Array.from({ length: fitRows }, (_, i) => i < probes.uniform ? 1 : OUTLYING_WEIGHT);
  const { query, key: rawKey, value: rawValue } = uploadHeads(backend, problem, firstHead, heads);
  const picks = new Uint32Array(heads * rows);
  for (let head = 0; head < heads; head++) {
    const stream = new RandomStream(seed, Purpose.probes, firstHead + head);
    const own = ofHead(problem.query, firstHead + head, problem.heads);
    picks.set(chooseProbes(own, queries, features, probes, stream), head * rows);
  }
  const keyShape = { rows: rawKey, heads, count: keys, width: features };
  const keyMean = backend.columnMean(keyShape), key = backend.centreRows({ ...keyShape, centre: keyMean });
  const probe = backend.gatherRows({
    rows: query,
    index: backend.upload(picks),
    heads,
    count: queries,
    width: features,
    picks: rows,
  });
  const probeShape = { heads, queries: rows, keys, features, valueFeatures, scale, query: probe, key };
  const probabilities = backend.softmaxRows(probeShape);
  const [probed, centre] = await backend.run([probabilities, keyMean], signal) as Float32Array[];
  const columns = Array.from(
    { length: heads },
    (_, head) => columnWeights(ofHead(probed, head, heads), keys, omega),
  );

  const norms = new Float32Array(heads * keys);
  columns.forEach(({ norm }, head) => norms.set(norm, head * keys));
  const clusters = backend.bisectRows({
    rows: key,
    weights: backend.upload(norms),
    heads,
    count: keys,
    width: features,
    budget: Math.min(2 ** 32 - 1, (bucketSize + samples) * queries - rows * keys),
    perCluster: queries,
  });
  const valueShape = { rows: rawValue, heads, count: keys, width: valueFeatures };
  const valueMean = backend.columnMean(valueShape);
  const value = backend.centreRows({ ...valueShape, centre: valueMean });
  const exact = backend.attend({ ...probeShape, value });
  const offset = backend.innerProducts({
    rows: query,
    directions: keyMean,
    heads,
    count: queries,
    width: features,
    projections: 1,
  });
  const read = await backend.run([
    exact.output,
    exact.logSumExp,
    valueMean,
    clusters.labels,
    clusters.clusters,
    clusters.products,
    offset,
  ], signal);
  const [exactOutput, exactSums, means] = read as Float32Array[];
  const [labels, sizes, products] = read.slice(3) as Uint32Array[];
  const box: ValueBox[] = [];
  const coresets = columns.map(({ mass }, head): Coreset => {
    const own = ofHead(problem.query, firstHead + head, problem.heads), ownPicks = ofHead(picks, head, heads);
    const known: ProbedHead = {
      keys,
      features,
      valueFeatures,
      scale,
      query: gatherDoubles(own, features, ownPicks),
      probabilities: ofHead(probed, head, heads),
      output: Float64Array.from(ofHead(exactOutput, head, heads)),
      logSumExp: Float64Array.from(ofHead(exactSums, head, heads)),
      key: ofHead(problem.key, firstHead + head, problem.heads),
      keyMean: ofHead(centre, head, heads),
      value: ofHead(problem.value, firstHead + head, problem.heads),
      valueMean: ofHead(means, head, heads),
    };
    box.push(valueBox(known.value, valueFeatures));
    return fit(known, ofHead(labels, head, heads), sizes[head], mass, omega, box[head]);
  });

  const points = stack(coresets, features, valueFeatures);
  const near = backend.attend({
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
  const merged = backend.mergeAttention({ first: near, shift: valueMean, heads, queries, valueFeatures });
  const [output, logSumExp] = await backend.run([merged.output, merged.logSumExp], signal) as Float32Array[];
  const offsets = read[6] as Float32Array;
  for (let head = 0; head < heads; head++) {
    const outputs = ofHead(output, head, heads), sums = ofHead(logSumExp, head, heads);
    clip(outputs, box[head]);
    const mean = ofHead(means, head, heads);
    ofHead(picks, head, heads).forEach((row, at) => {
      const from = head * rows + at;
      sums[row] = exactSums[from];
      for (let c = 0; c < valueFeatures; c++) {
        outputs[row * valueFeatures + c] = exactOutput[from * valueFeatures + c] + mean[c];
      }
    });
  }
  // Logits were those with centred keys.
  for (let at = 0; at < logSumExp.length; at++) logSumExp[at] += scale * offsets[at];
  const pairs = sizes.reduce((sum, size, head) => sum + size * queries + products[head], heads * rows * keys);
  return { output, logSumExp, keyEvaluations: pairs };
}

/** The coreset of one head, its values calibrated, and shrunk if they are of no use. */
function fit(
  known: ProbedHead,
  labels: Uint32Array,
  size: number,
  mass: Float64Array,
  omega: Float64Array,
  box: ValueBox,
): Coreset {
  const { features, valueFeatures, scale, query, output, valueMean } = known, fitted = omega.length;
  const plain = clusterCoreset(known, labels, size, mass, omega);
  const coreset = { ...plain, value: calibrateValues(known, plain, omega) };
  const heldOut = output.length / valueFeatures - fitted;
  const rows = coresetRows(query.subarray(fitted * features), heldOut, coreset, scale);
  const predicted = coresetOutput(rows, heldOut, coreset);
  clip(predicted, {
    low: box.low.map((x, c) => x - valueMean[c]),
    high: box.high.map((x, c) => x - valueMean[c]),
  });
  const factor = shrinkUseless(predicted, output.subarray(fitted * valueFeatures), valueFeatures);
  return factor === 1 ? coreset : { ...coreset, value: coreset.value.map((z) => factor * z) };
}

/** Coresets of several heads as keys, values and log-weights; short ones are filled up with hidden points. */
function stack(coresets: readonly Coreset[], features: number, valueFeatures: number) {
  const size = coresets.reduce((most, { size }) => Math.max(most, size), 0);
  const key = new Float32Array(coresets.length * size * features);
  const value = new Float32Array(coresets.length * size * valueFeatures);
  const bias = new Float32Array(coresets.length * size).fill(EMPTY);
  coresets.forEach((coreset, head) => {
    key.set(coreset.key, head * size * features);
    value.set(coreset.value, head * size * valueFeatures);
    bias.set(coreset.bias, head * size);
  });
  return { size, key, value, bias };
}

function gatherDoubles(rows: Float32Array, width: number, picks: Uint32Array): Float64Array {
  const gathered = new Float64Array(picks.length * width);
  picks.forEach((row, at) => gathered.set(rows.subarray(row * width, (row + 1) * width), at * width));
  return gathered;
}

/** The part of one head. */
function ofHead<T extends Float32Array | Uint32Array>(data: T, head: number, heads: number): T {
  const size = data.length / heads;
  return data.subarray(head * size, (head + 1) * size) as T;
}
