import type { Problem } from "../../core/problem.ts";
import { countVisible, visibleKeys } from "../../core/visible_pairs.ts";
import { costOfDirections } from "./canonical_directions.ts";
import { type CausalBlocks, cutPositions } from "./causal_blocks.ts";
import { costOfTree, type TreePlan } from "./tree_plan.ts";

/** How the budget of a head in causal order is spent: {@link TreePlan}, where clusters and samples are those of a block of a sequence. */
export interface CausalPlan extends TreePlan {
  readonly cut: CausalBlocks;
  /** Key evaluations of one head that `entries` leaves for its exact rows. */
  readonly ofHeldOut: number;
}

const MOST_DIRECTIONS = 12, HELD_OUT = 16;
/** Queries that clusters, and directions within them, are found on: so many in all, and no fewer than so many of each cluster. */
const SAMPLED = 1024, LEAST_OF_CLUSTER = 16;
/** Of what is left for lists and clusters, the part that clusters may get beyond one for each block: they shorten lists that are long. */
const CLUSTER_SHARE = 0.25;
/** Steps that move centres. */
const STEPS = 3;
/** Positions of a block. */
const LENGTHS = [32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048];
/** A centre takes about so many times as long as its evaluations would, with the keys that it does not see, and small sums. */
const TIME_OF_CENTRES = 2;
/** Shorter lists than this err so much that rectangles are worth what they take. */
const FEWEST_ENTRIES = 24;
/** Of the pairs that can be seen, the share from which on a budget is too large to save anything. */
const MOST_OF_VISIBLE = 0.5;

/**
 * Splits a budget of key evaluations for each query in causal order; undefined where it is too small for a tree, or pays for about all keys.
 *
 * @param judges Rows that are computed exactly to tell the error.
 */
export function planCausalTree(
  problem: Problem,
  keysPerQuery: number,
  judges = HELD_OUT,
): CausalPlan | undefined {
  const { heads, queries, period, features, valueFeatures, causalOffset } = problem;
  if (keysPerQuery >= MOST_OF_VISIBLE * countVisible(problem) / (heads * queries)) return undefined;
  const keys = visibleKeys(problem).reduce((a, b) => Math.max(a, b)), sequences = queries / period;
  const directions = Math.min(MOST_DIRECTIONS, features), heldOut = Math.min(judges, queries);
  const unit = features + valueFeatures, ofHeldOut = heldOut * keys;
  const split = (length: number) => {
    const cut = cutPositions(period, length), parts = cut.blocks * sequences;
    const diagonals = parts * cut.length * (cut.length + 1) / 2;
    // Logits and scatters of all keys, sums of those that can be seen.
    const seen = Math.min(keys, causalOffset! + (cut.blocks - 1) * cut.length / 2);
    const centres = parts * (keys * (features + 2 * directions) / unit + seen);
    return { cut, parts, diagonals, centres, time: diagonals + TIME_OF_CENTRES * centres };
  };
  const { cut, parts, diagonals, centres } = LENGTHS.map(split).reduce((a, b) => b.time < a.time ? b : a);
  const fixed = costOfDirections(queries, keys, features, directions) / unit +
    keys * features * directions / unit +
    costOfTree(keys, directions, unit) + diagonals;
  const spend = (clusters: number) => {
    const most = LEAST_OF_CLUSTER * clusters * parts;
    const sampled = Math.min(cut.length, Math.ceil(Math.max(SAMPLED, most) / parts)), rows = parts * sampled;
    const found = clusters === 1 ? rows * features * directions / unit : parts *
        (cut.length * directions * (features + clusters) / unit + costOfTree(sampled, directions, unit)) +
      STEPS * rows * clusters * directions / unit;
    const preparation = fixed + found + clusters * centres;
    const entries = keysPerQuery - (preparation + ofHeldOut) / queries;
    return { directions, clusters, sampled, entries, heldOut, preparation, ofHeldOut, cut };
  };
  const least = spend(1), left = least.entries * queries + centres;
  if (least.entries < FEWEST_ENTRIES) return undefined;
  const more = spend(Math.max(1, Math.floor(CLUSTER_SHARE * left / centres)));
  return more.entries < FEWEST_ENTRIES ? least : more;
}
