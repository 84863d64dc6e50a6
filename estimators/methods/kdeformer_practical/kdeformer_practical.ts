import type { Backend, PartialAttention } from "../../../kernels/backend.ts";
import { Purpose, seedWords } from "../../../kernels/random.ts";
import { uploadHeads } from "../../core/exact.ts";
import type { Progress } from "../../core/head_chunks.ts";
import type { Problem } from "../../core/problem.ts";
import type { Budget, CostedAttention, Method } from "../method.ts";
import { type HeadRun, runHeads } from "../run_heads.ts";
import { blockPairs, type BlockPlan, planBlocks } from "../shared/block_plan.ts";
import { defaultProjections, drawProbes } from "../shared/hash_draws.ts";
import { sampledMean } from "../shared/sampled_mean.ts";
import { sortQueriesAndKeys } from "../shared/sort_by_hash.ts";

/** What sampling follows: the measured columns, and as much for what the probes did not see. */
const SHARES = { columnShare: 0.5, valueShare: 0.2, uniformShare: 0.3 };

/** Of the sampling budget, the part spent on learning which keys matter. */
const PROBE_SHARE = 1 / 8;

/**
 * The practical KDEformer, Algorithm 3 of Zandieh, Han, Daliri and Karbasi, "KDEformer: Accelerating Transformers
 * via Kernel Density Estimation" (ICML 2023): keys and queries sorted by an angular hash, equal blocks attended
 * exactly, the rest estimated from keys sampled outside the block, one softmax over both.
 *
 * It differs from the authors' code where that departs from the paper or overflows: log-sum-exp per row in place
 * of bare exponentials; a correct Gray order, of hashes about the means of queries and of keys; any number of queries
 * and keys; sampling free of the scale and offset of the values; and sampling follows the column norms of the softmax matrix, as Algorithm 1 asks, measured on a few
 * probe rows, so that a key that is heavy for every query is found outside its block too.
 */
export const kdeformerPractical: Method = {
  summary: "Algorithm 3: hash blocks exactly, the rest sampled; better where each query has its own keys",
  source: "Zandieh, Han, Daliri and Karbasi 2023, Algorithm 3",
  random: true,
  withinBudget: true,
  attend,
};

async function attend(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress = {},
): Promise<CostedAttention> {
  const plan = planBlocks(problem, budget, PROBE_SHARE);
  return await runHeads("kdeformer-practical", backend, problem, budget, progress, async (run) => {
    const result = record(backend, problem, budget, plan, run);
    const [output, logSumExp] = await backend.run([result.output, result.logSumExp], progress.signal);
    return {
      output: output as Float32Array,
      logSumExp: logSumExp as Float32Array,
      keyEvaluations: run.count * countEvaluations(problem, plan),
    };
  });
}

/** Block pairs + probes + samples of one head. */
function countEvaluations({ queries, keys }: Problem, { blocks, probes, samples }: BlockPlan): number {
  return blockPairs(queries, keys, blocks) + probes * keys + samples * queries;
}

/** Records the whole pipeline for a run of heads; nothing is read back in between. */
function record(
  backend: Backend,
  problem: Problem,
  { bucketSize, seed, projections = defaultProjections(problem.keys, bucketSize) }: Budget,
  { blocks, probes, samples }: BlockPlan,
  run: HeadRun,
): PartialAttention {
  const heads = run.count;
  const { queries, keys, features, valueFeatures, scale } = problem;
  const { query, key, value } = uploadHeads(backend, problem, run.first, heads);
  const shape = { heads, queries, keys, features, valueFeatures, scale, query, key, value };

  const { byQuery, byKey } = sortQueriesAndKeys(backend, problem, { query, key, projections, seed, run });
  const sorted = { ...shape, blocks, queryOrder: byQuery.order, keyOrder: byKey.order };
  if (samples === 0) return backend.attend(sorted);

  const probeRows = backend.upload(drawProbes(seed, run, probes, queries));
  const probe = backend.gatherRows({
    rows: query,
    index: probeRows,
    heads,
    count: queries,
    width: features,
    picks: probes,
  });
  const importance = backend.keyImportance({
    ...shape,
    probes,
    probabilities: backend.softmaxRows({ ...shape, query: probe, queries: probes }),
    centre: sampledMean(backend, { rows: value, heads, count: keys, width: valueFeatures }),
    valueScale: 1 / Math.max(problem.largestValue, 1e-30),
    ...SHARES,
  });
  const { index, logWeight } = backend.sampleKeys({
    importance,
    heads,
    keys,
    samples,
    seed: seedWords(seed),
    purpose: Purpose.samples,
    firstStream: run.first,
  });
  return backend.attend({
    ...sorted,
    samples: { count: samples, index, logWeights: logWeight, position: byKey.position },
  });
}
