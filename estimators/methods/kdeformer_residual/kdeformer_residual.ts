import { type Backend, type DeviceArray, EMPTY, type PartialAttention } from "../../../kernels/backend.ts";
import { blockOf } from "../../../kernels/partition.ts";
import { Purpose, RandomStream } from "../../../kernels/random.ts";
import { uploadHeads } from "../../core/exact.ts";
import type { Progress } from "../../core/head_chunks.ts";
import { ofHead } from "../../core/of_head.ts";
import type { Budget, CostedAttention, Method } from "../method.ts";
import { type HeadRun, runHeads } from "../run_heads.ts";
import { blockPairs, type BlockPlan, planBlocks } from "../shared/block_plan.ts";
import { defaultProjections, drawProbes } from "../shared/hash_draws.ts";
import type { Problem } from "../../core/problem.ts";
import { sortQueriesAndKeys } from "../shared/sort_by_hash.ts";
import { type ProbedRows, residualImportance, sampleError } from "./probed_rows.ts";
import { type KeySample, sampleResidual } from "./residual_sample.ts";

/** Of the sampling budget, the part spent on rows that are computed exactly. */
const PROBE_SHARE = 1 / 6;

/**
 * KDEformer with the heavy entries removed first. Write P = S + R, S the pairs inside the blocks of an angular hash. S is computed
 * exactly, and only R is sampled, with chances that follow the column norms of R: ‖R_l‖² is a weighted sum of exponentials over
 * the queries outside key l's block (Algorithm 2), and is estimated from a uniform sample of queries whose row sums are exact. One softmax
 * over both.
 *
 * Two things lower the error further at no cost in keys: keys that are sure to be drawn are taken without a weight, and the error that all
 * rows share, because they share one sample, is measured on the probed rows and taken off.
 */
export const kdeformerResidual: Method = {
  summary: "the same, sampling only what the blocks leave, by its column norms",
  source: "Zandieh, Han, Daliri and Karbasi 2023, P = S + R of Section 3 and Algorithm 2",
  random: true,
  withinBudget: true,
  usualError: 0.75,
  unseenEvaluations: 250,
  attend,
};

async function attend(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress = {},
): Promise<CostedAttention> {
  const plan = planBlocks(problem, budget, PROBE_SHARE);
  return await runHeads(
    "kdeformer-residual",
    backend,
    problem,
    budget,
    progress,
    (run) => attendHeads(backend, problem, budget, plan, run, progress.signal),
  );
}

/** Two submissions for a run of heads: blocks and probes, then the sample that the probes ask for. */
async function attendHeads(
  backend: Backend,
  problem: Problem,
  { bucketSize, seed, projections = defaultProjections(problem.keys, bucketSize) }: Budget,
  { blocks, probes, samples }: BlockPlan,
  run: HeadRun,
  signal?: AbortSignal,
): Promise<CostedAttention> {
  const { first: firstHead, count: heads } = run;
  const { queries, keys, features, valueFeatures, scale } = problem;
  const { query, key, value: rawValue } = uploadHeads(backend, problem, firstHead, heads);
  const shape = { heads, queries, keys, features, valueFeatures, scale };
  const values = { rows: rawValue, heads, count: keys, width: valueFeatures };
  const centre = backend.columnMean(values);
  // The correction of the samples divides by their mass: rounding errors of values far from 0 would grow with it.
  const value = backend.centreRows({ ...values, centre });
  const gather = (rows: DeviceArray, index: DeviceArray, count: number, width: number, picks: number) =>
    backend.gatherRows({ rows, index, heads, count, width, picks });

  const { byQuery, byKey } = sortQueriesAndKeys(backend, problem, { query, key, projections, seed, run });
  const { order: queryOrder } = byQuery;
  const near = backend.attend({
    ...shape,
    query,
    key,
    value,
    blocks,
    queryOrder,
    keyOrder: byKey.order,
  });
  const pairs = heads * blockPairs(queries, keys, blocks);
  const finish = async (keyEvaluations: number, result: PartialAttention) => {
    const [output, logSumExp, mean] = await backend.run(
      [result.output, result.logSumExp, centre],
      signal,
    ) as Float32Array[];
    for (let at = 0; at < output.length; at++) {
      const head = Math.floor(at / (queries * valueFeatures));
      output[at] += mean[head * valueFeatures + at % valueFeatures];
    }
    return { output, logSumExp, keyEvaluations };
  };
  if (samples === 0) return finish(pairs, near);

  const rows = drawProbes(seed, run, probes, queries);
  const probe = gather(query, backend.upload(rows), queries, features, probes);
  const exact = backend.attendProbes({ ...shape, queries: probes, query: probe, key, value });
  const valueShare = backend.keyImportance({
    ...shape,
    probabilities: exact.probabilities,
    probes,
    value: rawValue,
    centre,
    valueScale: 1 / Math.max(problem.largestValue, 1e-30),
    columnShare: 0,
    valueShare: 1,
    uniformShare: 0,
  });
  const read = await backend.run([
    exact.probabilities,
    exact.output,
    centre,
    valueShare,
    byQuery.position,
    byKey.position,
    byKey.order,
  ], signal);
  const known = Array.from({ length: heads }, (_, head): ProbedRows => {
    const [probabilityRows, outputs, means, shares] = read.slice(0, 4).map((data) =>
      ofHead(data, head, heads)
    ) as Float32Array[];
    const [queryPosition, keyPosition, keyOrder] = read.slice(4).map((data) =>
      ofHead(data, head, heads)
    ) as Uint32Array[];
    return {
      keys,
      valueFeatures,
      blocks,
      probabilities: probabilityRows,
      outputs,
      probeBlocks: ofHead(rows, head, heads).map((row) => blockOf(queryPosition[row], queries, blocks)),
      keyBlocks: keyPosition.map((position) => blockOf(position, keys, blocks)),
      keyOrder,
      value: ofHead(problem.value, firstHead + head, problem.heads),
      mean: means,
      valueShare: shares,
    };
  });
  const drawn = known.map((head, at) =>
    sampleResidual(residualImportance(head), samples, new RandomStream(seed, Purpose.samples, firstHead + at))
  );
  const far = correctSamples(known, drawn);
  const second = backend.attend({
    ...shape,
    keys: far.picks,
    query,
    queryOrder,
    key: gather(key, backend.upload(far.index), keys, features, far.picks),
    value: backend.upload(far.value),
    logWeights: backend.upload(far.logWeights),
    exclude: { keyBlocks: backend.upload(far.keyBlocks), blocks },
  });
  const merged = backend.mergeAttention({ heads, queries, valueFeatures, first: near, second });
  return finish(pairs + heads * (probes * keys + samples * queries), merged);
}

/**
 * Samples of several heads, rid of the error that their probed rows share; short ones are filled up with hidden keys.
 */
function correctSamples(
  known: readonly ProbedRows[],
  drawn: readonly KeySample[],
): {
  picks: number;
  index: Uint32Array;
  value: Float32Array;
  logWeights: Float32Array;
  keyBlocks: Uint32Array;
} {
  const { valueFeatures } = known[0], heads = drawn.length;
  const picks = drawn.reduce((most, { index }) => Math.max(most, index.length), 0);
  const index = new Uint32Array(heads * picks), keyBlocks = new Uint32Array(heads * picks);
  const logWeights = new Float32Array(heads * picks).fill(EMPTY);
  const value = new Float32Array(heads * picks * valueFeatures);
  drawn.forEach((sample, head) => {
    const shared = sampleError(known[head], sample), { value: rows, mean } = known[head];
    sample.index.forEach((key, pick) => {
      const at = head * picks + pick;
      index[at] = key;
      keyBlocks[at] = known[head].keyBlocks[key];
      // A row's weighted values gain mass · shared.value and its mass gains mass · shared.mass: every key does its part.
      logWeights[at] = Math.log(sample.weights[pick] * (1 + shared.mass));
      for (let c = 0; c < valueFeatures; c++) {
        const centred = rows[key * valueFeatures + c] - mean[c];
        value[at * valueFeatures + c] = (centred + shared.value[c]) / (1 + shared.mass);
      }
    });
  });
  return { picks, index, value, logWeights, keyBlocks };
}
