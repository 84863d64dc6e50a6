import type { Backend } from "../../../../kernels/backend.ts";
import type { HostAttention } from "../../../core/exact.ts";
import type { Progress } from "../../../core/head_chunks.ts";
import type { Problem } from "../../../core/problem.ts";
import { type Budget, type CostedAttention, type Method, perQuery } from "../../method.ts";
import { addMean, centreValues } from "../shared/centred_values.ts";
import { eachHead, type Head } from "../shared/each_head.ts";
import { type DirectionOptions, drawDirections } from "../shared/random_directions.ts";
import { keyWeights, restoreSums } from "./half_norms.ts";

/**
 * Performer of Choromanski et al., "Rethinking Attention with Performers" (ICLR 2021): e^⟨q, k⟩ is the mean over normal w of
 * φ(q) φ(k), φ(x) = e^(⟨w, x⟩ − ‖x‖²/2), so that with few w the sums over keys Σ φ(k) (v, 1) serve all queries.
 *
 * Both sums are softmax attention: that of each direction to the keys, with −‖k‖²/2 added to their logits, has the logarithm and the mean
 * value of its feature, and that of each query to the directions, with these logarithms added, merges them. So no feature is ever
 * exponentiated by itself, and nothing overflows, which the public codes do or add a constant to prevent.
 */
export const performer: Method = {
  summary: "positive random features of the softmax kernel: for logits near 0, hopeless where they are large",
  source: "Choromanski et al. 2021, FAVOR+",
  promise: "unbiased sums Σ e^⟨q, k⟩ (v, 1), with a variance that grows like e^‖q + k‖²",
  onHost: "norms of queries and keys",
  random: true,
  withinBudget: true,
  refusal: (problem, budget) => {
    const least = Math.ceil(perFeature(problem));
    return perQuery(budget) < Math.min(least, problem.keys)
      ? `method performer needs a budget of at least ${least} evaluations a query for ${problem.queries} queries and ` +
        `${problem.keys} keys: current value is ${perQuery(budget)}`
      : undefined;
  },
  attend,
};

/** Evaluations for each query that a feature takes: its product with every query and every key. */
export function perFeature({ queries, keys }: Pick<Problem, "queries" | "keys">): number {
  return 1 + keys / queries;
}

/** Random features, and how many. */
export interface FeatureOptions extends DirectionOptions {
  readonly features: number;
}

async function attend(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress = {},
): Promise<CostedAttention> {
  // Parts of a larger problem may have too few queries for a single one.
  const features = Math.max(1, Math.floor(perQuery(budget) / perFeature(problem)));
  return await eachHead("performer", backend, problem, budget, progress, async (head) => ({
    ...await attendByFeatures(backend, problem, head, { features, orthogonal: true }, budget.seed, progress),
    keyEvaluations: features * (problem.queries + problem.keys),
  }));
}

/** Output and log-sum-exp of one head by so many features. */
export async function attendByFeatures(
  backend: Backend,
  { queries, keys, features: width, valueFeatures, scale }: Problem,
  { at, query, key, value }: Head,
  { features, ...options }: FeatureOptions,
  seed: number,
  { signal }: Progress = {},
): Promise<HostAttention> {
  const weights = keyWeights(key, width, scale), values = centreValues(value, valueFeatures);
  const rows = backend.upload(drawDirections(seed, at, features, width, options));
  const root = Math.sqrt(Math.abs(scale)), shape = { heads: 1, features: width, valueFeatures };
  const ofKeys = backend.attend({
    ...{ ...shape, queries: features, keys, query: rows, key: backend.upload(key), scale: root },
    ...{ value: backend.upload(values.rows), logWeights: backend.upload(weights.logWeights) },
  });
  const ofQueries = backend.attend({
    ...{ ...shape, queries, keys: features, query: backend.upload(query), key: rows, value: ofKeys.output },
    ...{ scale: Math.sign(scale) * root, logWeights: ofKeys.logSumExp },
  });
  const found = await backend.run([ofQueries.output, ofQueries.logSumExp], signal);
  const [output, sums] = found as Float32Array[];
  addMean(output, values);
  return { output, logSumExp: restoreSums(sums, query, weights, { width, scale, features }) };
}
