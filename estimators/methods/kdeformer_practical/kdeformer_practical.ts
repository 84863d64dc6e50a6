import type { Backend, PartialAttention } from "../../../kernels/backend.ts";
import { Purpose, RandomStream, seedWords } from "../../../kernels/random.ts";
import { PartCollector, uploadHeads } from "../../core/exact.ts";
import type { Budget, CostedAttention } from "../visible.ts";
import { headChunks, type Progress } from "../../core/head_chunks.ts";
import type { Problem } from "../../core/problem.ts";
import { sampledMean } from "../shared/sampled_mean.ts";
import { sortByHash } from "../shared/sort_by_hash.ts";

/** How the budget of one head is spent. */
interface Plan {
  readonly blocks: number;
  readonly probes: number;
  readonly samples: number;
}

/** What sampling follows: the measured columns, and as much for what the probes did not see. */
const SHARES = { columnShare: 0.5, valueShare: 0.2, uniformShare: 0.3 };

/** Of the sampling budget, the part spent on learning which keys matter. */
const PROBE_SHARE = 1 / 8;
const MOST_PROBES = 64;

/** Cuts keys into blocks and splits the samples between probing and sampling. */
function plan({ queries, keys }: Problem, { bucketSize, samples }: Budget): Plan {
  const blocks = Math.ceil(keys / bucketSize);
  if (blocks === 1) return { blocks, probes: 0, samples: 0 };
  // One probe costs `keys` evaluations: keys / queries samples per query.
  const perProbe = keys / queries;
  const probes = Math.min(queries, MOST_PROBES, Math.max(1, Math.floor((samples * PROBE_SHARE) / perProbe)));
  return { blocks, probes, samples: Math.min(keys, Math.max(1, samples - Math.ceil(probes * perProbe))) };
}

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
export async function kdeformerPractical(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress = {},
): Promise<CostedAttention> {
  const { heads, queries, keys } = problem;
  const { blocks, probes, samples } = plan(problem, budget);
  const parts = new PartCollector();
  for (const { first, count, oversized } of headChunks(backend, problem, progress)) {
    if (oversized) {
      throw new RangeError(
        `Cannot run kdeformer-practical: one head must fit an array of ${backend.largestArrayBytes} bytes on ${backend.kind}: ` +
          `it has ${queries} queries and ${keys} keys; method exact splits heads`,
      );
    }
    const result = record(backend, problem, budget, { blocks, probes, samples }, first, count);
    parts.add(await backend.run([result.output, result.logSumExp], progress.signal));
    backend.reset();
  }
  return {
    ...parts.result(),
    keyEvaluations: heads * countEvaluations(problem, { blocks, probes, samples }),
  };
}

/** Block pairs + probes + samples, masked pairs included: they are computed and then hidden. */
function countEvaluations({ queries, keys }: Problem, { blocks, probes, samples }: Plan): number {
  const longQueries = queries % blocks, longKeys = keys % blocks;
  const baseQueries = Math.floor(queries / blocks), baseKeys = Math.floor(keys / blocks);
  const bothLong = Math.min(longQueries, longKeys);
  const pairs = blocks * baseQueries * baseKeys + longQueries * baseKeys + longKeys * baseQueries + bothLong;
  return pairs + probes * keys + samples * queries;
}

/** Records the whole pipeline for `heads` heads from `firstHead` on; nothing is read back in between. */
function record(
  backend: Backend,
  problem: Problem,
  { bucketSize, seed, projections = defaultProjections(problem.keys, bucketSize) }: Budget,
  { blocks, probes, samples }: Plan,
  firstHead: number,
  heads: number,
): PartialAttention {
  const { queries, keys, features, valueFeatures, scale } = problem;
  const { query, key, value } = uploadHeads(backend, problem, firstHead, heads);
  const shape = { heads, queries, keys, features, valueFeatures, scale, query, key, value };

  const hyperplanes = backend.upload(drawHyperplanes(seed, firstHead, heads, projections, features));
  const hash = { hyperplanes, heads, width: features, projections };
  const byQuery = sortByHash(backend, { ...hash, rows: query, count: queries });
  const byKey = sortByHash(backend, { ...hash, rows: key, count: keys });
  const sorted = { ...shape, blocks, queryOrder: byQuery.order, keyOrder: byKey.order };
  if (samples === 0) return backend.attend(sorted);

  const probeRows = backend.upload(drawProbes(seed, firstHead, heads, probes, queries));
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
    firstStream: firstHead,
  });
  return backend.attend({
    ...sorted,
    samples: { count: samples, index, logWeights: logWeight, position: byKey.position },
  });
}

/** Gaussian hyperplanes [heads, projections, features], one stream per head. */
export function drawHyperplanes(
  seed: number,
  firstHead: number,
  heads: number,
  projections: number,
  features: number,
): Float32Array {
  const hyperplanes = new Float32Array(heads * projections * features);
  for (let head = 0; head < heads; head++) {
    const stream = new RandomStream(seed, Purpose.hyperplanes, firstHead + head);
    for (let at = 0; at < projections * features; at++) {
      hyperplanes[head * projections * features + at] = stream.normal();
    }
  }
  return hyperplanes;
}

/** Distinct query rows [heads, probes], one stream per head. */
export function drawProbes(
  seed: number,
  firstHead: number,
  heads: number,
  probes: number,
  queries: number,
): Uint32Array {
  const rows = new Uint32Array(heads * probes);
  for (let head = 0; head < heads; head++) {
    rows.set(
      new RandomStream(seed, Purpose.probes, firstHead + head).distinct(probes, queries),
      head * probes,
    );
  }
  return rows;
}

/** About one bucket per block, so that a block holds rows of few neighbouring buckets. */
export function defaultProjections(keys: number, bucketSize: number): number {
  return Math.min(24, Math.max(1, Math.ceil(Math.log2(keys / bucketSize))));
}
