import type { Problem } from "../../core/problem.ts";
import type { Budget } from "../method.ts";

/** How the budget of one head is spent by methods that attend within blocks and sample the rest. */
export interface BlockPlan {
  readonly blocks: number;
  /** Queries whose rows of probabilities are computed exactly. */
  readonly probes: number;
  /** Keys sampled for each query; 0 where one block holds all keys. */
  readonly samples: number;
}

const MOST_PROBES = 64;

/**
 * Cuts keys into blocks and splits the samples between probing and sampling.
 *
 * @param probeShare Of the samples, the part that goes into probes.
 */
export function planBlocks(
  { queries, keys }: Problem,
  { bucketSize, samples }: Budget,
  probeShare: number,
): BlockPlan {
  const blocks = Math.ceil(keys / bucketSize);
  if (blocks === 1) return { blocks, probes: 0, samples: 0 };
  // One probe costs `keys` evaluations: keys / queries samples per query.
  const perProbe = keys / queries;
  const probes = Math.min(queries, MOST_PROBES, Math.max(1, Math.floor((samples * probeShare) / perProbe)));
  return { blocks, probes, samples: Math.min(keys, Math.max(1, samples - Math.ceil(probes * perProbe))) };
}

/** Pairs of a query and a key in the same block. */
export function blockPairs(queries: number, keys: number, blocks: number): number {
  const longQueries = queries % blocks, longKeys = keys % blocks;
  const baseQueries = Math.floor(queries / blocks), baseKeys = Math.floor(keys / blocks);
  return blocks * baseQueries * baseKeys + longQueries * baseKeys + longKeys * baseQueries +
    Math.min(longQueries, longKeys);
}
