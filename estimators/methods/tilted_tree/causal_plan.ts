import type { Problem } from "../../core/problem.ts";
import { countVisible, visibleKeys } from "../../core/visible_pairs.ts";
import { costOfDirections } from "./canonical_directions.ts";
import { type CausalBlocks, cutPositions } from "./causal_blocks.ts";
import { costOfTree, type TreePlan } from "./tree_plan.ts";

/** How the budget of a head in causal order is spent: {@link TreePlan}, each block of the queries of a sequence a cluster. */
export interface CausalPlan extends TreePlan {
  readonly cut: CausalBlocks;
  /** Key evaluations of one head that `entries` leaves for its exact rows. */
  readonly ofHeldOut: number;
}

const MOST_DIRECTIONS = 12, HELD_OUT = 16;
/** Queries that directions within blocks are found on: so many in all, and no fewer than so many of each block. */
const SAMPLED = 1024, LEAST_OF_BLOCK = 8;
/** Positions of a block. */
const LENGTHS = [32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048];
/** A centre takes about so many times as long as its evaluations would, with the keys that it does not see, and small sums. */
const TIME_OF_CENTRES = 2;
/** Shorter lists than this err so much that rectangles are worth what they take. */
const FEWEST_ENTRIES = 24;
/** Of the pairs that can be seen, the share from which on a budget is too large to save anything. */
const MOST_OF_VISIBLE = 0.5;

/** Splits a budget of key evaluations for each query in causal order; undefined where it is too small for a tree, or pays for about all keys. */
export function planCausalTree(problem: Problem, keysPerQuery: number): CausalPlan | undefined {
  const { heads, queries, period, features, valueFeatures, causalOffset } = problem;
  if (keysPerQuery >= MOST_OF_VISIBLE * countVisible(problem) / (heads * queries)) return undefined;
  const keys = visibleKeys(problem).reduce((a, b) => Math.max(a, b)), sequences = queries / period;
  const directions = Math.min(MOST_DIRECTIONS, features), heldOut = Math.min(HELD_OUT, queries);
  const unit = features + valueFeatures, ofHeldOut = heldOut * keys;
  const split = (length: number) => {
    const cut = cutPositions(period, length), clusters = cut.blocks * sequences;
    const diagonals = clusters * cut.length * (cut.length + 1) / 2;
    // Logits and scatters of all keys, sums of those that can be seen.
    const seen = Math.min(keys, causalOffset! + (cut.blocks - 1) * cut.length / 2);
    const centres = clusters * (keys * (features + 2 * directions) / unit + seen);
    return { cut, clusters, diagonals, centres, time: diagonals + TIME_OF_CENTRES * centres };
  };
  const { cut, clusters, diagonals, centres } = LENGTHS.map(split).reduce((a, b) => b.time < a.time ? b : a);
  const sampled = Math.min(queries, Math.max(SAMPLED, LEAST_OF_BLOCK * clusters));
  const preparation = costOfDirections(features, directions) / unit +
    (keys + sampled) * features * directions / unit + costOfTree(keys, directions, unit) + diagonals +
    centres;
  const entries = keysPerQuery - (preparation + ofHeldOut) / queries;
  return entries < FEWEST_ENTRIES
    ? undefined
    : { directions, clusters, sampled, entries, heldOut, preparation, ofHeldOut, cut };
}
