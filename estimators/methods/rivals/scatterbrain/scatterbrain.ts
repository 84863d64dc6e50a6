import type { Backend } from "../../../../kernels/backend.ts";
import type { HostAttention } from "../../../core/exact.ts";
import type { Progress } from "../../../core/head_chunks.ts";
import type { Problem } from "../../../core/problem.ts";
import { type Budget, type CostedAttention, type Method, perQuery } from "../../method.ts";
import { keyWeights, restoreSums } from "../performer/half_norms.ts";
import { type FeatureOptions, perFeature } from "../performer/performer.ts";
import { addMean, centreValues } from "../shared/centred_values.ts";
import { eachHead, type Head } from "../shared/each_head.ts";
import { mergeRows } from "../../../core/merge_rows.ts";
import { drawDirections } from "../shared/random_directions.ts";
import { featuresOutside } from "./features_outside.ts";
import { type Windows, windowsWithin } from "./windows.ts";

/** Of the budget, the part of the window: as its authors compare, half as many keys as features. */
const WINDOW_SHARE = 1 / 3;
/** Keys of the narrowest window: one in each block. */
const NARROWEST = 3;

/**
 * ScatterBrain of Chen, Dao, Winsor, Song, Rudra and Ré, "Scatterbrain: Unifying Sparse and Low-rank Attention" (NeurIPS 2021), with a
 * local window: keys near a query in the sequence exactly, the others by the features of Performer, one softmax over both.
 *
 * The public code lets the window slide, and subtracts the features' estimate of it from that of all keys, which cancels where the window
 * is heavy. Here queries share windows in blocks, each with the blocks before and after it, and features are summed over the blocks
 * outside alone: the same estimate with other edges of its windows.
 */
export const scatterbrain: Method = {
  summary:
    "a window in the order of the sequence exactly, random features elsewhere: for local heads with small logits",
  source: "Chen, Dao, Winsor, Song, Rudra and Ré 2021, with the window of the authors' code",
  promise: "unbiased sums Σ e^⟨q, k⟩ (v, 1), exact in the window; outside as performer",
  onHost: "norms of queries and keys; running sums of features over blocks",
  random: true,
  withinBudget: true,
  refusal: (problem, budget) => {
    const least = NARROWEST + Math.ceil(perFeature(problem));
    return perQuery(budget) < Math.min(least, problem.keys)
      ? `method scatterbrain needs a budget of at least ${least} evaluations a query for ${problem.queries} queries and ` +
        `${problem.keys} keys: current value is ${perQuery(budget)}`
      : undefined;
  },
  attend,
};

async function attend(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress = {},
): Promise<CostedAttention> {
  const { queries, keys } = problem, most = perQuery(budget), each = perFeature(problem);
  const window = Math.max(NARROWEST, Math.min(WINDOW_SHARE * most, most - each));
  const windows = windowsWithin(queries, keys, window);
  const features = Math.max(1, Math.floor((most - windows.pairs / queries) / each));
  return await eachHead("scatterbrain", backend, problem, budget, progress, async (head) => ({
    ...await attendScattered(
      backend,
      problem,
      head,
      windows,
      { features, orthogonal: true },
      budget.seed,
      progress,
    ),
    keyEvaluations: windows.pairs + features * (queries + keys),
  }));
}

/** Output and log-sum-exp of one head: exact in the windows, by so many features outside. */
export async function attendScattered(
  backend: Backend,
  { queries, keys, features: width, valueFeatures, scale }: Problem,
  head: Head,
  { blocks, ...bounds }: Windows,
  { features, ...options }: FeatureOptions,
  seed: number,
  { signal }: Progress = {},
): Promise<HostAttention> {
  const shape = { heads: 1, features: width, valueFeatures, blocks }, root = Math.sqrt(Math.abs(scale));
  const values = centreValues(head.value, valueFeatures);
  const near = backend.attend({
    ...{ ...shape, queries, keys, scale, bounds: { ...bounds, positions: backend.upload(bounds.positions) } },
    ...{
      query: backend.upload(head.query),
      key: backend.upload(head.key),
      value: backend.upload(values.rows),
    },
  });
  const weights = keyWeights(head.key, width, scale);
  const rows = repeat(drawDirections(seed, head.at, features, width, options), blocks);
  const ofBlocks = backend.attend({
    ...{ ...shape, queries: blocks * features, keys, scale: root, query: backend.upload(rows) },
    ...{ key: backend.upload(head.key), value: backend.upload(values.rows) },
    logWeights: backend.upload(weights.logWeights),
  });
  const [output, logSumExp, means, sums] = await backend.run(
    [near.output, near.logSumExp, ofBlocks.output, ofBlocks.logSumExp],
    signal,
  ) as Float32Array[];
  backend.reset();

  const outside = featuresOutside({ output: means, logSumExp: sums }, blocks, valueFeatures);
  const far = backend.attend({
    ...{ ...shape, queries, keys: blocks * features, scale: Math.sign(scale) * root },
    ...{
      query: backend.upload(head.query),
      key: backend.upload(rows),
      value: backend.upload(outside.output),
    },
    logWeights: backend.upload(outside.logSumExp),
  });
  const [farOutput, farSums] = await backend.run([far.output, far.logSumExp], signal) as Float32Array[];
  const merged = { output, logSumExp }, restored = { width, scale, features };
  mergeRows(
    merged,
    { output: farOutput, logSumExp: restoreSums(farSums, head.query, weights, restored) },
    valueFeatures,
  );
  addMean(output, values);
  return merged;
}

/** The rows, so many times one after another. */
function repeat(rows: Float32Array, times: number): Float32Array {
  const repeated = new Float32Array(times * rows.length);
  for (let at = 0; at < times; at++) repeated.set(rows, at * rows.length);
  return repeated;
}
