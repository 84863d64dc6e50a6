import type { Backend } from "../../kernels/backend.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import type { CentredProblem } from "../core/centred.ts";
import { exactAttention } from "../core/exact.ts";
import type { Problem } from "../core/problem.ts";
import { pickRows } from "../linear_algebra/pick_rows.ts";
import { seenRows } from "./density_rows.ts";

/** Attention of each query to one block of keys. */
export interface MedianBlockAttention {
  /** [heads, queries, valueFeatures] */
  readonly output: Float32Array;
  /** [heads, keys]: share of the queries that attended to the key. */
  readonly shares: Float64Array;
  readonly keyEvaluations: number;
}

/**
 * Attention by medians of means: the keys of a head are dealt into 2⌊fraction · n⌋ + 1 blocks at random, and each query attends to the block
 * whose mean of e^s_ij is the median. At most half of the blocks hold an outlier, so the median lies between values of blocks without;
 * but what it attends to is a block, of 1/(2 fraction) keys at any n.
 *
 * Source: Humbert, Le Bars and Minvielle, "Robust kernel density estimation with median-of-means principle" (ICML 2022), for
 * the blocks; Han et al. 2023 for attention to the median one.
 */
export async function medianBlockAttention(
  backend: Backend,
  { exact }: CentredProblem,
  fraction: number,
  seed: number,
  signal?: AbortSignal,
): Promise<MedianBlockAttention> {
  const { heads, keys, queries, valueFeatures } = exact;
  const output = new Float32Array(heads * queries * valueFeatures), shares = new Float64Array(heads * keys);
  let keyEvaluations = 0;
  for (let head = 0; head < heads; head++) {
    const blocks = dealBlocks(seenRows(head, keys, exact.logWeights), fraction, seed, head);
    const all = Uint32Array.from({ length: queries }, (_, row) => head * queries + row);
    const logMeans: Float32Array[] = [];
    for (const block of blocks) {
      const { logSumExp } = await exactAttention(backend, ofBlock(exact, all, block, true), { signal });
      keyEvaluations += queries * block.length;
      logMeans.push(logSumExp.map((log) => log - Math.log(block.length)));
    }
    const chosen = medianBlocks(logMeans, queries);
    for (const [at, block] of blocks.entries()) {
      const own = all.filter((_, query) => chosen[query] === at);
      if (own.length === 0) continue;
      const found = await exactAttention(backend, ofBlock(exact, own, block, false), { signal });
      keyEvaluations += own.length * block.length;
      own.forEach((row, place) => {
        const from = found.output.subarray(place * valueFeatures, (place + 1) * valueFeatures);
        output.set(from, row * valueFeatures);
      });
      for (const key of block) shares[key] = own.length / queries;
    }
  }
  return { output, shares, keyEvaluations };
}

/** Rows in blocks of equal size, but for one, at random; an odd number of them, as many as there are rows at most. */
function dealBlocks(rows: Uint32Array, fraction: number, seed: number, head: number): Uint32Array[] {
  const count = rows.length, odd = count % 2 === 1 ? count : Math.max(1, count - 1);
  const blocks = Math.min(odd, 2 * Math.floor(fraction * count) + 1);
  const order = new RandomStream(seed, Purpose.medianBlocks, head).distinct(count, count);
  return Array.from({ length: blocks }, (_, block) => {
    const first = Math.floor(block * count / blocks), end = Math.floor((block + 1) * count / blocks);
    return order.slice(first, end).map((place) => rows[place]);
  });
}

/** For each query the block of the median. */
function medianBlocks(logMeans: readonly Float32Array[], queries: number): Uint32Array {
  return Uint32Array.from({ length: queries }, (_, query) => {
    const order = [...logMeans.keys()].sort((a, b) => logMeans[a][query] - logMeans[b][query]);
    return order[(order.length - 1) / 2];
  });
}

/** Some queries and one block of keys, rows counted through all heads, as a problem of one head. */
function ofBlock(problem: Problem, queries: Uint32Array, block: Uint32Array, massOnly: boolean): Problem {
  const { features, valueFeatures, query, key, value, logWeights } = problem;
  return {
    ...problem,
    heads: 1,
    query: pickRows(query, features, queries),
    key: pickRows(key, features, block),
    value: massOnly ? new Float32Array(block.length) : pickRows(value, valueFeatures, block),
    valueFeatures: massOnly ? 1 : valueFeatures,
    queries: queries.length,
    period: queries.length,
    keys: block.length,
    logWeights: logWeights && Float32Array.from(block, (row) => logWeights[row]),
  };
}
