import type { Problem } from "../../estimators/core/problem.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { holdsOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { NotApplicable } from "../engine/outcome.ts";
import { DELTA } from "./settings.ts";
import {
  anyBlocks,
  anyCausalPlan,
  attendWatched,
  causalProblem,
  drawHeads,
  type TreeRun,
} from "./tree_runs.ts";

/** A change of what some queries may not see. */
interface Change {
  /** The keys, [heads, keys] counted through, whose rows change. */
  readonly changed: (key: number) => boolean;
  /** Whether keys change, or their values alone. */
  readonly keys: boolean;
  /** Positions of queries that see nothing of it: those before this one. */
  readonly end: number;
}

const HIDDEN_SHARE = 1 / 4;

/** Other rows in the place of some, of hidden ones too, which are 0. */
function changeRows(rows: Float32Array, width: number, changed: Change["changed"]): Float32Array {
  return rows.map((x, at) => changed(Math.floor(at / width)) ? 1 - x / 2 : x);
}

function applied({ changed, keys }: Change, problem: Problem): Problem {
  const { features, valueFeatures } = problem;
  const value = changeRows(problem.value, valueFeatures, changed);
  return { ...problem, value, ...keys && { key: changeRows(problem.key, features, changed) } };
}

/** What a query may not see does not reach its answer. */
export const treeUnseenKeys: Claim = {
  name: "tree-unseen-keys",
  statement:
    "In causal order values of later keys, keys and values that a mask hides, and for the first block later keys as well change no bit of what a tilted tree answers",
  formula: "k_j, v_j hidden from i ⟹ ∂Att~_i/∂v_j = 0, and under a mask ∂Att~_i/∂k_j = 0",
  source: "docs/theory.md §5.1",
  assumptions: "one device; any clusters, any lengths of lists; two heads",
  measurement: "largest difference of the outputs of the queries that may not see the change",
  rule: { kind: "always", allowed: DELTA },
  bound: 0,
  cases: holdsOn("gaussian", "clustered", "heavy-tailed", "sink-key", "duplicated-keys", "shape-more-keys"),
  anySource: true,
  n: 64,
  runs: 50,
  async run(context) {
    const given = await drawHeads(context), random = new RandomStream(context.seed, Purpose.data);
    const [heads, keys] = given.key.shape, blocks = anyBlocks(random), kind = context.run % 3;
    const hidden = Array.from(
      { length: heads * keys },
      (_, at) => at % keys > 0 && random.uniform() < HIDDEN_SHARE,
    );
    const options = kind === 0 ? { keyMask: hidden.map((is) => !is) } : {};
    const problem = causalProblem(given, blocks, options);
    if (!problem) throw new NotApplicable(`${keys} keys, or fewer queries, are too few for blocks`);
    const { causalOffset, queries, valueFeatures, period } = problem,
      run: TreeRun = { problem, plan: anyCausalPlan(problem, blocks, random) };
    // Only queries that see nothing before their block know nothing of the tree, which later keys have a part in.
    const blind = causalOffset === 0 ? period / blocks : 0, from = 1 + random.integer(period - 1);
    const changes: Change[] = [
      { changed: (key) => hidden[key], keys: true, end: period },
      { changed: (key) => key % keys >= causalOffset! + from, keys: false, end: from },
      { changed: (key) => key % keys >= from, keys: true, end: Math.min(blind, from) },
    ];
    const change = changes[kind];
    const before = await attendWatched(context, run);
    const after = await attendWatched(context, { ...run, problem: applied(change, problem) });
    let measured = 0;
    before.output.forEach((x, at) => {
      const position = Math.floor(at / valueFeatures) % queries % period;
      if (position < change.end) measured = Math.max(measured, Math.abs(x - after.output[at]));
    });
    return { measured };
  },
};
