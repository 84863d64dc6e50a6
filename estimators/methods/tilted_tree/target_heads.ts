import type { Backend } from "../../../kernels/backend.ts";
import type { Problem } from "../../core/problem.ts";
import { operatorError } from "../error_sample.ts";
import type { CostedAttention } from "../method.ts";
import { heldOutRows, pickHeads, placeExactRows } from "../shared/probed_heads.ts";
import { TrialFailed } from "../trial.ts";
import {
  attendToOpened,
  cutLists,
  evaluationsOf,
  type OpenedLists,
  plantTree,
  sumCutLists,
} from "./attend_lists.ts";
import { canonicalDirections } from "./canonical_directions.ts";
import { findClusters } from "./find_clusters.ts";
import { gainLeft } from "./gain_left.ts";
import { Judges } from "./judges.ts";
import type { TreePlan } from "./tree_plan.ts";

/** The error that the lists of a tree are to be opened for. */
export interface TreeTarget {
  /** ‖Att~ − Att‖ / ‖Att‖ in operator norm. */
  readonly tolerance: number;
  /** How the tree is made; at its entries it is looked at how many the first lists need. */
  readonly plan: TreePlan;
  /** Entries of the first lists, at most. */
  readonly mostFirst: number;
  /** Entries of a list, in the mean over the queries, with which the tree is given up. */
  readonly mostEntries: number;
}

/** The rows must err by no more than this share of the tolerance: lists are opened until they do, and what passes first flatters itself. */
const MARGIN = 0.95;
/**
 * Errors fall about as entries to the power of minus one over the middle one of these, faster on the sharpest heads; what two lists have shown, within the others,
 * is believed. A step goes for a little less than what would do, and multiplies entries within these bounds.
 */
const POWER = 1.6, LEAST_POWER = 1.2, MOST_POWER = 3, STEP_SHARE = 0.95, LEAST_STEP = 1.25, MOST_STEP = 4;
/** The first lists are as long as this share of the tolerance seems to need, but no shorter than so many entries. What another entry gains falls about as entries to the power of minus this. */
const FIRST_SHARE = 0.85, LEAST_FIRST = 48, FALL = 1.6;

/**
 * One head by a tree of its keys, whose lists are opened further and further, the tree as it is, until the rows that are computed exactly
 * err by no more than the tolerance. If the first of these leave it open whether they do, and longer lists would take more than as many rows
 * again, there are twice as many from then on.
 *
 * @throws {TrialFailed} If the lists would grow too long: no query was answered then.
 */
export async function tiltToTarget(
  backend: Backend,
  problem: Problem,
  { tolerance, plan, mostFirst, mostEntries }: TreeTarget,
  seed: number,
  signal?: AbortSignal,
): Promise<CostedAttention> {
  const { queries, keys, features } = problem, counts = { uniform: 0, outlying: 0, heldOut: plan.heldOut };
  const probed = pickHeads(backend, problem, counts, seed, { first: 0, count: 1 }), { query } = probed;
  const judges = new Judges(backend, problem, probed, seed);
  // The device computes while the host looks for directions.
  const read = judges.read(signal);
  const maps = [canonicalDirections(problem.query, problem.key, features, plan.directions)];
  await read;
  const listed = { ...probed.shape, query, queries, maps };
  const found = await findClusters(backend, listed, 1, () => problem.query, plan, signal),
    { clusters } = found;
  const planted = plantTree(backend, listed, found);

  const looking = cutLists(backend, planted, plan.entries, signal);
  const wanted = gainLeft(problem, judges.exact.output, FIRST_SHARE * tolerance);
  // Where nothing is left and nothing is wanted the shortest lists will do.
  const farther = (await looking).gainsLeft[0] / wanted || 0;
  const first = Math.max(LEAST_FIRST, plan.entries * farther ** (1 / FALL));
  const aim = MARGIN * tolerance;
  let keyEvaluations = plan.preparation, opened: OpenedLists, before: Judged | undefined;
  for (let entries = Math.min(first, mostFirst, mostEntries);;) {
    opened = sumCutLists(backend, planted, await cutLists(backend, planted, entries, signal));
    keyEvaluations += plan.clusters * keys;
    const judge = async () => {
      const sums = await judges.judge(planted, opened, signal), estimate = operatorError(sums.sample!);
      const judged = { entries, error: estimate.error, rows: sums.rows };
      return { sums, estimate, judged, longer: Math.min(mostEntries, entries * stepOf(judged, before, aim)) };
    };
    let { sums, estimate, judged, longer } = await judge();
    const isOpen = estimate.error > aim && estimate.low <= aim;
    const isFar = (longer - entries) * queries > plan.heldOut * keys;
    if (isOpen && isFar && await judges.call(signal)) {
      keyEvaluations += plan.heldOut * keys;
      ({ sums, estimate, judged, longer } = await judge());
    }
    if (estimate.error <= aim) break;
    if (entries >= mostEntries) throw new TrialFailed([sums], Math.round(keyEvaluations));
    entries = longer;
    before = judged;
  }
  const attended = attendToOpened(backend, planted, opened, { query, queries, ...clusters });
  const answer = await backend.run([attended.output, attended.logSumExp], signal);
  const [output, logSumExp] = answer as Float32Array[];
  const heldOut = heldOutRows(judges.probed, judges.probed.probes, { output, logSumExp }, judges.meanValue);
  placeExactRows(judges.probed, { output, logSumExp }, judges.exact);
  keyEvaluations = Math.round(keyEvaluations + evaluationsOf(opened, clusters));
  return { output, logSumExp, keyEvaluations, heldOut };
}

/** What some rows say of lists. */
interface Judged {
  readonly entries: number;
  readonly error: number;
  readonly rows: number;
}

/** By how much lists have to be longer for an error. */
function stepOf({ entries, error, rows }: Judged, before: Judged | undefined, aim: number): number {
  let power = POWER;
  if (before?.rows === rows && error < before.error) {
    const shown = Math.log(entries / before.entries) / Math.log(before.error / error);
    power = Math.max(LEAST_POWER, Math.min(MOST_POWER, shown));
  }
  return Math.max(LEAST_STEP, Math.min(MOST_STEP, (error / (STEP_SHARE * aim)) ** power));
}
