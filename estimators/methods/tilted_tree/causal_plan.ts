import type { Problem } from "../../core/problem.ts";
import { countVisible, visibleKeys } from "../../core/visible_pairs.ts";
import { costOfDirections } from "./canonical_directions.ts";
import { type CausalBlocks, cutPositions } from "./causal_blocks.ts";
import { costOfLooks, costOfTree, type TreePlan } from "./tree_plan.ts";

/** How the budget of a head in causal order is spent: {@link TreePlan}, where clusters and samples are those of a block of a sequence. */
export interface CausalPlan extends TreePlan {
  readonly cut: CausalBlocks;
  /** Key evaluations of one head that `entries` leaves for its exact rows. */
  readonly ofHeldOut: number;
  /** Queries of each cluster whose looks say what its list is opened for; none if left out. */
  readonly looks?: number;
}

/** Directions of a budget. */
export const MOST_DIRECTIONS = 12;
const HELD_OUT = 16;
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
/** The same where errors have room for longer blocks. */
const TIME_OF_FEW = 3;
/** Shorter lists than this err so much that rectangles are worth what they take. */
const FEWEST_ENTRIES = 24;
/** Of the pairs that can be seen, the share from which on a budget is too large to save anything. */
const MOST_OF_VISIBLE = 0.5;

/** What a tree takes beside its lists. */
interface Layout {
  /** Key evaluations of one centre in each block. */
  readonly centres: number;
  /** All but the entries, with so many clusters in each block and queries of each whose looks are known. */
  plan(clusters: number, looks?: number): Omit<CausalPlan, "entries">;
}

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
  const { heads, queries, features } = problem;
  if (keysPerQuery >= MOST_OF_VISIBLE * countVisible(problem) / (heads * queries)) return undefined;
  const { plan, centres } = layOut(problem, Math.min(MOST_DIRECTIONS, features), judges, TIME_OF_CENTRES);
  const spend = (clusters: number) => {
    const own = plan(clusters);
    return { ...own, entries: keysPerQuery - (own.preparation + own.ofHeldOut) / queries };
  };
  const least = spend(1), left = least.entries * queries + centres;
  if (least.entries < FEWEST_ENTRIES) return undefined;
  const more = spend(Math.max(1, Math.floor(CLUSTER_SHARE * left / centres)));
  return more.entries < FEWEST_ENTRIES ? least : more;
}

/** How the logits of a head vary, with their scale. */
export interface LogitVariance {
  /** Over queries and keys about their means. */
  readonly all: number;
  /** [directions]: along each of the leading ones. */
  readonly along: Float64Array;
}

/** Directions are taken, in fours, until so much of the variance of logits is left, or there are as many as a budget has. */
const LEFT = 0.9;
/** Entries of a list: so many times the square of the variance, within bounds. */
const ENTRIES_OF_VARIANCE = 12, LEAST_ENTRIES = 24, MOST_ENTRIES = 96;
/** Sequences longer than this take more of both, by powers of the length. */
const USUAL = 4096, POWER_OF_DIRECTIONS = 0.2, POWER_OF_ENTRIES = 0.5;
/** From this variance on the looks of so many queries of each cluster are worth asking for. */
const SHARP = 2, LOOKS = 8;

/**
 * A tree for a head whose logits vary as they do: where they vary little, few directions and short lists err little, and where some keys stand out, what
 * queries look at tells which.
 */
export function planByVariance(problem: Problem, { all, along }: LogitVariance): CausalPlan {
  const { keys, features } = problem, growth = Math.max(1, keys / USUAL);
  const most = Math.min(features, 4 * Math.round(MOST_DIRECTIONS / 4 * growth ** POWER_OF_DIRECTIONS));
  let left = all, directions = 0;
  do left -= along[directions++] ?? 0; while (directions < most && (directions % 4 > 0 || left > LEFT));
  const entries = Math.max(
    LEAST_ENTRIES,
    Math.min(MOST_ENTRIES * growth ** POWER_OF_ENTRIES, ENTRIES_OF_VARIANCE * all ** 2),
  );
  const { plan } = layOut(problem, directions, HELD_OUT, TIME_OF_FEW);
  return { ...plan(1, all > SHARP ? LOOKS : 0), entries };
}

function layOut(problem: Problem, directions: number, judges: number, timeOfCentres: number): Layout {
  const { queries, period, features, valueFeatures, causalOffset } = problem;
  const keys = visibleKeys(problem).reduce((a, b) => Math.max(a, b)), sequences = queries / period;
  const heldOut = Math.min(judges, queries), unit = features + valueFeatures, ofHeldOut = heldOut * keys;
  const split = (length: number) => {
    const cut = cutPositions(period, length), parts = cut.blocks * sequences;
    const diagonals = parts * cut.length * (cut.length + 1) / 2;
    // Logits and scatters of all keys, sums of those that can be seen.
    const seen = Math.min(keys, causalOffset! + (cut.blocks - 1) * cut.length / 2);
    const centres = parts * (keys * (features + 2 * directions) / unit + seen);
    return { cut, parts, diagonals, centres, time: diagonals + timeOfCentres * centres };
  };
  const { cut, parts, diagonals, centres } = LENGTHS.map(split).reduce((a, b) => b.time < a.time ? b : a);
  const fixed = costOfDirections(queries, keys, features, directions) / unit +
    keys * features * directions / unit +
    costOfTree(keys, directions, unit) + diagonals;
  return {
    centres,
    plan(clusters, looks = 0) {
      const most = Math.max(LEAST_OF_CLUSTER, looks) * clusters * parts;
      const sampled = Math.min(cut.length, Math.ceil(Math.max(SAMPLED, most) / parts)),
        rows = parts * sampled;
      const found = clusters === 1 ? rows * features * directions / unit : parts *
          (cut.length * directions * (features + clusters) / unit + costOfTree(sampled, directions, unit)) +
        STEPS * rows * clusters * directions / unit;
      const ofLooks = looks > 0 ? parts * clusters * costOfLooks(keys, looks) * directions / unit : 0;
      const preparation = fixed + found + clusters * centres + ofLooks;
      return { directions, clusters, sampled, heldOut, preparation, ofHeldOut, cut, looks };
    },
  };
}
