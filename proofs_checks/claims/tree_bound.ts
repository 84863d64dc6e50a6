import { Purpose, RandomStream } from "../../kernels/random.ts";
import { holdsOn, searchedCase } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { plainAttention } from "../measures/plain_attention.ts";
import { DELTA } from "./settings.ts";
import { TreeRounding } from "./tree_rounding.ts";
import { boundsOfAnswer, TreeRow } from "./tree_row_bound.ts";
import {
  anyBlocks,
  anyCausalPlan,
  anyPlan,
  attendWatched,
  causalProblem,
  hugeNorms,
  TREE_SHAPE,
  type TreeRun,
  type WatchedAttention,
  wholeProblem,
} from "./tree_runs.ts";

/** The largest share that a row takes of its bounds, of its mass and of its output. */
function largestShare({ problem, plan }: TreeRun, { lists, output, logSumExp }: WatchedAttention): number {
  const { queries, valueFeatures, largestValue, causalOffset } = problem,
    rounding = new TreeRounding(problem);
  const exact = plainAttention(problem);
  let largest = 0, rows = 0;
  for (const list of lists) {
    for (const row of list.queries) {
      const own = new TreeRow(problem, rounding, list.head, row), parts = own.ofList(list);
      if ("cut" in plan) parts.push(...own.ofKeys(list.end, causalOffset! + row + 1));
      const at = list.head * queries + row, from = at * valueFeatures, end = from + valueFeatures;
      const answer = output.subarray(from, end), truth = exact.output.subarray(from, end);
      const bounds = boundsOfAnswer(parts, answer, logSumExp[at]);
      const middle = (bounds.logMost + bounds.logLeast) / 2, reach = (bounds.logMost - bounds.logLeast) / 2;
      largest = Math.max(largest, Math.abs(exact.logSumExp[at] - logSumExp[at] - middle) / reach);
      // Both are means of values.
      bounds.output.forEach((bound, c) => {
        const allowed = Math.min(bound + rounding.logit * largestValue, 2 * largestValue);
        largest = Math.max(largest, Math.abs(truth[c] - answer[c]) / allowed);
      });
      rows++;
    }
  }
  return lists.length === 0 || rows === problem.heads * queries ? largest : Infinity;
}

/** What can be said of a row beforehand. */
export const treeBound: Claim = {
  name: "tree-bound",
  statement:
    "The mass of a row and its output lie within what the variances, ranges of logits and ranges of values of the entries of its list allow",
  formula:
    "Σ p_E e^(−t_E/2) <= D/D~ <= Σ p_E e^(r_E²/8 − t_E/2), and |Att~ − Att| from the same and tanh(r_E/4), row by row",
  source: "Hoeffding 1963, lemma 1; docs/theory.md §5.1",
  assumptions:
    "single precision; any clusters, any lengths of lists; every key and causal order; no row is computed exactly",
  measurement: "the largest share of its bounds that a row takes, of its mass and of its output",
  rule: { kind: "always", allowed: DELTA },
  bound: 1,
  promisedBy: "tilted-tree",
  cases: [
    ...holdsOn("gaussian", "clustered", "heavy-tailed", "sink-key", "huge-logits"),
    hugeNorms,
    { ...searchedCase, runs: 60 },
  ],
  anySource: true,
  n: 48,
  runs: 50,
  async run(context) {
    const given = await context.input(TREE_SHAPE), random = new RandomStream(context.seed, Purpose.data);
    const blocks = anyBlocks(random), causal = causalProblem(given, blocks), whole = wholeProblem(given);
    const run: TreeRun = causal && context.run % 2 === 1
      ? { problem: causal, plan: anyCausalPlan(causal, blocks, random) }
      : { problem: whole, plan: anyPlan(whole, random) };
    return { measured: largestShare(run, await attendWatched(context, run)) };
  },
};
