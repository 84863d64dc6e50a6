import type { Problem } from "../../estimators/core/problem.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { holdsOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import type { ListEntry, WatchedList } from "../measures/watched_lists.ts";
import { DELTA } from "./settings.ts";
import { TreeRounding } from "./tree_rounding.ts";
import {
  anyBlocks,
  anyCausalPlan,
  anyPlan,
  attendWatched,
  causalProblem,
  drawHeads,
  hugeNorms,
  type TreeRun,
  wholeProblem,
} from "./tree_runs.ts";

/** The largest error of the masses of a list over what rounding explains; Infinity if it is no partition of what its cluster sees. */
function massError(problem: Problem, list: WatchedList, rounding: TreeRounding): number {
  const { keys } = problem, { entries, end, logMass } = list;
  const places = entries.flatMap((entry) => Array.from(entry.keys)).sort((a, b) => a - b);
  const partition = places.length === keys && places.every((key, at) => key === at);
  const seenAlone = entries.every((entry) =>
    entry.keys.every((key, at) => entry.weights[at] >= 0 && (key < end || entry.weights[at] === 0))
  );
  if (!list.whole || !partition || !seenAlone) return Infinity;
  if (end === 0) return logMass === -Infinity && entries.every(weighsNothing) ? 0 : Infinity;
  const logits = logitsOfCentre(problem, list);
  const largest = logits.subarray(0, end).reduce((a, b) => Math.max(a, b));
  const total = logits.subarray(0, end).reduce((sum, x) => sum + Math.exp(x - largest), 0);
  let error = Math.abs(logMass - largest - Math.log(total)) / rounding.logit, sum = 0, allowed = 0;
  for (const entry of entries) {
    const { keys: own, logWeight, halfVariance } = entry;
    const product = entry.key.reduce((sum, x, t) => sum + list.centre[t] * x, 0);
    const mass = Math.exp(logWeight + product - halfVariance - largest) / total;
    const exact = own.reduce(
      (sum, key) => key < end ? sum + Math.exp(logits[key] - largest) / total : sum,
      0,
    );
    const moved = exact * Math.expm1(rounding.logMass(entry)) + rounding.negligible(own.length);
    error = Math.max(error, Math.abs(mass - exact) / moved);
    sum += mass;
    allowed += moved;
  }
  return Math.max(error, Math.abs(sum - 1) / allowed);
}

function weighsNothing({ logWeight }: ListEntry): boolean {
  return logWeight === -Infinity;
}

/** [keys]: s⟨c, k⟩, c the mean of the queries of a list, or what it was said to be where it has none. */
function logitsOfCentre(problem: Problem, { head, queries: rows, centre }: WatchedList): Float64Array {
  const { queries, keys, features, scale, query, key } = problem;
  const mean = rows.length > 0 ? new Float64Array(features) : Float64Array.from(centre);
  for (const row of rows) {
    for (let t = 0; t < features; t++) {
      mean[t] += scale * query[(head * queries + row) * features + t] / rows.length;
    }
  }
  return Float64Array.from({ length: keys }, (_, j) => {
    let product = 0;
    for (let t = 0; t < features; t++) product += mean[t] * key[(head * keys + j) * features + t];
    return product;
  });
}

/** What a list weighs, seen from the centre of its cluster. */
export const treeMasses: Claim = {
  name: "tree-masses",
  statement:
    "The list of a cluster of queries is a partition of the keys; seen from the mean of its queries each entry weighs what its keys do, which in causal order are those before the block, and nothing else weighs anything",
  formula: "M_E = Σ_{l ∈ E} e^⟨c, k_l⟩, Σ_E M_E = Σ_l e^⟨c, k_l⟩",
  source: "docs/theory.md §5.1",
  assumptions:
    "single precision; any clusters, any lengths of lists, weights below 2⁻⁴⁰ left out; every key and causal order, two heads",
  measurement: "largest |M~_E − M_E|, and of their sums, over what rounding and the weights left out explain",
  rule: { kind: "always", allowed: DELTA },
  bound: 1,
  cases: [
    ...holdsOn(
      "gaussian",
      "clustered",
      "heavy-tailed",
      "sink-key",
      "huge-logits",
      "duplicated-keys",
      "common-key-offset",
      "shape-indivisible",
      "shape-more-keys",
    ),
    hugeNorms,
  ],
  anySource: true,
  n: 64,
  runs: 50,
  async run(context) {
    const given = await drawHeads(context), random = new RandomStream(context.seed, Purpose.data);
    const whole = wholeProblem(given), blocks = anyBlocks(random), causal = causalProblem(given, blocks);
    const runs: TreeRun[] = [{ problem: whole, plan: anyPlan(whole, random) }];
    if (causal) runs.push({ problem: causal, plan: anyCausalPlan(causal, blocks, random) });
    const run = runs[context.run % runs.length], rounding = new TreeRounding(run.problem);
    const { problem } = run, { lists } = await attendWatched(context, run);
    const attending = lists.reduce((sum, { queries }) => sum + queries.length, 0);
    if (lists.length > 0 && attending !== problem.heads * problem.queries) return { measured: Infinity };
    return { measured: lists.reduce((most, list) => Math.max(most, massError(problem, list, rounding)), 0) };
  },
};
