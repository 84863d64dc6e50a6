import { bringInRange } from "../../estimators/core/in_range.ts";
import type { HostAttention } from "../../estimators/core/exact.ts";
import { makeProblem, type Problem, type ProblemOptions } from "../../estimators/core/problem.ts";
import { cutPositions } from "../../estimators/methods/tilted_tree/causal_blocks.ts";
import type { CausalPlan } from "../../estimators/methods/tilted_tree/causal_plan.ts";
import type { CostedAttention } from "../../estimators/methods/method.ts";
import type { TreePlan } from "../../estimators/methods/tilted_tree/tree_plan.ts";
import type { RandomStream } from "../../kernels/random.ts";
import { type Tensor, tensor } from "../../kernels/tensor.ts";
import { ownCase } from "../engine/cases.ts";
import type { ClaimCase, RunContext } from "../engine/claim.ts";
import { inputFamily } from "../inputs/families.ts";
import type { AttentionInput, InputOptions } from "../inputs/family.ts";
import { type WatchedList, watchLists } from "../measures/watched_lists.ts";

/** Few features, for cheap runs: a tree compares rows in at most 16 directions of them. */
export const TREE_SHAPE: Partial<InputOptions> = { features: 24, valueFeatures: 8 };

const FAR = 2 ** 40;

/** Keys so long that their squares overflow, queries so short that logits are those of gaussian, and values larger still. */
export const hugeNorms: ClaimCase = ownCase({
  name: "gaussian-huge-norms",
  open: () => ({
    next(options) {
      const { query, key, value, scale } = inputFamily("gaussian").generate(options);
      const times = ({ data, shape }: Tensor, factor: number) => tensor(data.map((x) => x * factor), shape);
      return { query: times(query, 1 / FAR), key: times(key, FAR), value: times(value, FAR ** 1.5), scale };
    },
  }),
});

/** Two draws of an input as the heads of one problem, or one where their shapes differ. */
export async function drawHeads(
  { input }: Pick<RunContext, "input">,
  options: Partial<InputOptions> = TREE_SHAPE,
): Promise<AttentionInput> {
  const first = await input(options), second = await input(options);
  const sameShapes = (["query", "key", "value"] as const).every((name) =>
    String(first[name].shape) === String(second[name].shape)
  );
  if (!sameShapes || first.scale !== second.scale) return first;
  const both = (name: "query" | "key" | "value") =>
    tensor(Float32Array.from([...first[name].data, ...second[name].data]), [
      2,
      ...first[name].shape.slice(1),
    ]);
  return { query: both("query"), key: both("key"), value: both("value"), scale: first.scale };
}

/** A problem where every query sees every key, in the range in which trees are made. */
export function wholeProblem({ query, key, value, scale }: AttentionInput): Problem {
  return bringInRange(makeProblem(query, key, value, { scale }));
}

const FEWEST_BLOCKS = 2, MOST_BLOCKS = 4, LEAST_OF_BLOCK = 4;

/** How many blocks the queries are cut into. */
export function anyBlocks(random: RandomStream): number {
  return FEWEST_BLOCKS + random.integer(MOST_BLOCKS - FEWEST_BLOCKS + 1);
}

/**
 * The first queries of an input in causal order, as many as fill blocks; the last of them sees every key. Undefined where there are too few.
 */
export function causalProblem(
  { query, key, value, scale }: AttentionInput,
  blocks: number,
  options: ProblemOptions = {},
): Problem | undefined {
  const [heads, queries, features] = query.shape, rowsOfBoth = Math.min(queries, key.shape[1]);
  // Whether there are enough is not to hang on how many blocks a run cuts.
  if (rowsOfBoth < LEAST_OF_BLOCK * MOST_BLOCKS) return undefined;
  const period = blocks * Math.floor(rowsOfBoth / blocks);
  const rows = Float32Array.from(
    { length: heads * period * features },
    (_, at) =>
      query.data[Math.floor(at / (period * features)) * queries * features + at % (period * features)],
  );
  const first = tensor(rows, [heads, period, features]);
  return bringInRange(makeProblem(first, key, value, { scale, causal: true, ...options }));
}

/** Any clusters and any budget: 1 to 6 clusters, and lists of one key to as many as there are, n_k^u of them for u uniform in (0, 1). */
export function anyPlan({ queries, keys, features }: Problem, random: RandomStream): TreePlan {
  const clusters = 1 + random.integer(6), entries = keys ** random.uniform();
  const directions = Math.min(12, features);
  return { directions, clusters, sampled: queries, entries, heldOut: 1, preparation: 0 };
}

/** The same in causal order, 1 to 3 clusters in a block. */
export function anyCausalPlan(problem: Problem, blocks: number, random: RandomStream): CausalPlan {
  const { period, keys } = problem, cut = cutPositions(period, period / blocks);
  return {
    ...anyPlan(problem, random),
    clusters: 1 + random.integer(3),
    sampled: cut.length,
    ofHeldOut: keys,
    cut,
  };
}

/** A problem and how a tree is to answer it. */
export interface TreeRun {
  readonly problem: Problem;
  readonly plan: TreePlan | CausalPlan;
}

/** What a tree answers, also where rows were computed exactly, and the lists that it answered from. */
export interface WatchedAttention extends HostAttention {
  readonly lists: readonly WatchedList[];
}

/** Attends by a tree and watches, in causal order if the plan is for it. */
export async function attendWatched(
  { implementation, on, seed }: RunContext,
  { problem, plan }: TreeRun,
): Promise<WatchedAttention> {
  return await on(async (backend) => {
    const watched = watchLists(backend);
    // The least budget: what is to be spent stands in the plan.
    const result = "cut" in plan
      ? await implementation.attendInOrder(watched.backend, problem, plan, seed, {})
      : await implementation.attendByTree(watched.backend, problem, plan, {
        bucketSize: 1,
        samples: 0,
        seed,
      });
    const perHead = watched.lists.length / problem.heads;
    const lists = watched.lists.map((list, at) => ({ ...list, head: Math.floor(at / perHead) }));
    return { ...answerOfTree(problem, result), lists };
  });
}

/** Output and log-sum-exps with what the tree would have answered in the place of the rows that were computed exactly. */
function answerOfTree({ queries, valueFeatures }: Problem, result: CostedAttention): HostAttention {
  const output = result.output.slice(), logSumExp = result.logSumExp.slice();
  result.heldOut?.forEach((rows, head) =>
    rows.picks.forEach((pick, at) => {
      const row = head * queries + pick, from = at * valueFeatures;
      output.set(rows.output.subarray(from, from + valueFeatures), row * valueFeatures);
      logSumExp[row] = rows.logSumExp[at];
    })
  );
  return { output, logSumExp };
}
