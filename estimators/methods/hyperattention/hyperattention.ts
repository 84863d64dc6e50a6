import type { Backend, PartialAttention } from "../../../kernels/backend.ts";
import { Purpose, seedWords } from "../../../kernels/random.ts";
import { uploadHeads } from "../../core/exact.ts";
import type { Progress } from "../../core/head_chunks.ts";
import type { Problem } from "../../core/problem.ts";
import type { Budget, CostedAttention, Method } from "../method.ts";
import { type HeadRun, runHeads } from "../run_heads.ts";
import { blockPairs } from "../shared/block_plan.ts";
import { defaultProjections } from "../shared/hash_draws.ts";
import { sortQueriesAndKeys } from "../shared/sort_by_hash.ts";

/** Of the samples, the part that the hash may cost: with few queries, or a small budget, it has fewer hyperplanes. */
const HASH_SHARE = 1 / 2;

/**
 * HyperAttention of Han, Jayaram, Karbasi, Mirrokni, Woodruff and Zandieh, "HyperAttention: Long-context Attention in
 * Near-Linear Time" (ICLR 2024): queries and keys sorted by an angular hash, equal blocks attended exactly, the rest
 * estimated from keys drawn uniformly, one softmax over both. No row is probed, so the whole budget goes into keys that
 * queries see; where some key is heavy for all queries, uniform draws miss it, and `kdeformer-practical` does better.
 *
 * It differs from the authors' code, which counts a sampled key of the query's own block twice and pads blocks with keys
 * that are none. Besides, it hashes about the means of queries and of keys, draws one key from each of m equal stretches
 * of their order, and takes any size. Causal order is halved as in the paper, for every method, by `visible.ts`.
 */
export const hyperattention: Method = {
  summary: "hash blocks exactly, the rest from uniformly drawn keys: where no key is heavy for all queries",
  source: "Han, Jayaram, Karbasi, Mirrokni, Woodruff and Zandieh 2024; docs/theory.md, section 4.1",
  random: true,
  withinBudget: true,
  usualError: 1.4,
  attend,
};

async function attend(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress = {},
): Promise<CostedAttention> {
  const plan = makePlan(problem, budget);
  return await runHeads("hyperattention", backend, problem, budget, progress, async (run) => {
    const result = record(backend, problem, budget.seed, plan, run);
    const [output, logSumExp] = await backend.run([result.output, result.logSumExp], progress.signal);
    return {
      output: output as Float32Array,
      logSumExp: logSumExp as Float32Array,
      keyEvaluations: run.count * countEvaluations(problem, plan),
    };
  });
}

/** How the budget of one head is spent. */
interface Plan {
  readonly blocks: number;
  /** Hyperplanes of the hash; 0 leaves queries and keys in the order in which they come. */
  readonly projections: number;
  /** Keys drawn for all queries. */
  readonly samples: number;
}

function makePlan({ queries, keys }: Problem, { bucketSize, samples, projections }: Budget): Plan {
  // A hyperplane takes one product with every query and every key: products count, whatever a row is multiplied by.
  const perProjection = 1 + keys / queries, affordable = Math.floor(HASH_SHARE * samples / perProjection);
  const taken = Math.min(projections ?? defaultProjections(keys, bucketSize), affordable);
  return {
    blocks: Math.ceil(keys / bucketSize),
    projections: taken,
    samples: Math.floor(samples - taken * perProjection),
  };
}

/** Block pairs + products of the hash + samples of one head. */
function countEvaluations({ queries, keys }: Problem, { blocks, projections, samples }: Plan): number {
  return blockPairs(queries, keys, blocks) + projections * (queries + keys) + samples * queries;
}

/** Records the whole pipeline for a run of heads; nothing is read back in between. */
function record(
  backend: Backend,
  problem: Problem,
  seed: number,
  { blocks, projections, samples }: Plan,
  run: HeadRun,
): PartialAttention {
  const { queries, keys, features, valueFeatures, scale } = problem, heads = run.count;
  const { query, key, value } = uploadHeads(backend, problem, run.first, heads);
  const sorted = projections > 0
    ? sortQueriesAndKeys(backend, problem, { query, key, projections, seed, run })
    : undefined;
  // All queries share the draws, each with the weight n/m. A query skips those of its own block, which leaves it about
  // m·n_rest/n draws from the n_rest others: of these each stands for n_rest/(m·n_rest/n) keys, n/m again.
  const { index, logWeight } = backend.sampleKeys({
    importance: backend.upload(new Float32Array(heads * keys).fill(1)),
    heads,
    keys,
    samples,
    seed: seedWords(seed),
    purpose: Purpose.samples,
    firstStream: run.first,
  });
  const position = sorted?.byKey.position ??
    backend.upload(Uint32Array.from({ length: heads * keys }, (_, at) => at % keys));
  return backend.attend({
    ...{ heads, queries, keys, features, valueFeatures, scale, query, key, value, blocks },
    queryOrder: sorted?.byQuery.order,
    keyOrder: sorted?.byKey.order,
    samples: { count: samples, index, logWeights: logWeight, position },
  });
}
