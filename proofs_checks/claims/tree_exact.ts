import type { Problem } from "../../estimators/core/problem.ts";
import { makeProblem } from "../../estimators/core/problem.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { type Tensor, tensor } from "../../kernels/tensor.ts";
import { holdsOn, refutedOn } from "../engine/cases.ts";
import type { Claim, Run, RunContext } from "../engine/claim.ts";
import type { AttentionInput } from "../inputs/family.ts";
import { Oracle } from "../measures/oracle.ts";
import { plainAttention } from "../measures/plain_attention.ts";
import { differenceFrom, differenceOf } from "./exact_cases.ts";
import { DELTA } from "./settings.ts";
import {
  anyBlocks,
  anyCausalPlan,
  anyPlan,
  attendWatched,
  causalProblem,
  drawHeads,
  hugeNorms,
  TREE_SHAPE,
  type TreeRun,
  wholeProblem,
} from "./tree_runs.ts";

const common = {
  measurement: "largest difference from PV in float64, over what rounding of the logits explains",
  rule: { kind: "always", allowed: DELTA },
  bound: 1,
  anySource: true,
  runs: 50,
} as const;

/** How far one of some trees is from exact attention, each in its turn. */
async function differenceOfTree(context: RunContext, runs: readonly TreeRun[]): Promise<Run> {
  const run = runs[context.run % runs.length], { output } = await attendWatched(context, run);
  return { measured: differenceOf(run.problem, output, plainAttention(run.problem).output) };
}

/** Queries that are some few of them, again and again: which, for each row. */
function repeatRows({ data, shape: [heads, rows, width] }: Tensor, which: (row: number) => number): Tensor {
  const from = Uint32Array.from({ length: rows }, (_, row) => which(row));
  const repeated = Float32Array.from(data, (_, at) => {
    const head = Math.floor(at / (rows * width)), row = Math.floor(at / width) % rows;
    return data[(head * rows + from[row]) * width + at % width];
  });
  return tensor(repeated, [heads, rows, width]);
}

const MOST_DIFFERENT = 3;

/** What the first order, and the second, are taken about. */
export const treeAtCentres: Claim = {
  ...common,
  name: "tree-exact-at-centres",
  statement:
    "Where all queries of a cluster are equal, a tilted tree is exact attention, however short its lists are",
  formula: "q_i = c for all i of each cluster ⟹ Att~ = Att",
  source: "docs/theory.md §5.1",
  assumptions:
    `single precision; 1 to ${MOST_DIFFERENT} different queries and clusters enough to part them, or one for each block in causal order; any lengths of lists; two heads`,
  cases: [
    ...holdsOn("gaussian", "clustered", "heavy-tailed", "sink-key", "huge-logits", "equal-queries"),
    hugeNorms,
  ],
  n: 64,
  async run(context) {
    const given = await drawHeads(context), random = new RandomStream(context.seed, Purpose.data);
    const different = 1 + random.integer(Math.min(MOST_DIFFERENT, given.query.shape[1]));
    const query = repeatRows(given.query, () => random.integer(different));
    const whole = wholeProblem({ ...given, query }), runs: TreeRun[] = [];
    // A cut leaves an eighth on each side, so that more than one for each may be needed to part them.
    runs.push({ problem: whole, plan: { ...anyPlan(whole, random), clusters: 4 * different } });
    const blocks = anyBlocks(random), length = (causalProblem(given, blocks)?.period ?? 0) / blocks;
    const alike = repeatRows(given.query, (row) => Math.min(blocks - 1, Math.floor(row / length)));
    const causal = length > 0 && causalProblem({ ...given, query: alike }, blocks);
    if (causal) {
      runs.push({ problem: causal, plan: { ...anyCausalPlan(causal, blocks, random), clusters: 1 } });
    }
    return await differenceOfTree(context, runs);
  },
};

const HIDDEN_SHARE = 1 / 4;

/** The same input with queries of both heads for the keys of the first. */
function sharedKeys({ key, value, ...rest }: AttentionInput): AttentionInput {
  const first = ({ data, shape: [heads, ...own] }: Tensor) =>
    tensor(data.slice(0, data.length / heads), [1, ...own]);
  return { ...rest, key: first(key), value: first(value) };
}

const tooFar =
  "from the centre of a cluster what a query looks to may weigh less than 2⁻⁴⁰, and what weighs so little is left out";

/** Nothing but single keys: no node stands for others. */
export const treeSingleKeys: Claim = {
  ...common,
  name: "tree-single-keys",
  statement:
    "Where its lists are opened down to single keys a tilted tree is exact attention, in causal order and under a mask as well",
  formula: "|E| = 1 for all E ⟹ Att~ = Att",
  source: "docs/theory.md §5.1",
  assumptions:
    "single precision; any clusters; weights from the centres of at least 2⁻⁴⁰; two heads, in causal order with a mask and with keys that they share or not",
  cases: [
    ...holdsOn("gaussian", "clustered", "low-rank", "sink-key", "duplicated-keys", "common-key-offset"),
    ...holdsOn("shape-indivisible", "shape-more-keys"),
    hugeNorms,
    refutedOn("huge-logits", tooFar),
  ],
  n: 64,
  async run(context) {
    const given = await drawHeads(context), random = new RandomStream(context.seed, Purpose.data);
    const whole = wholeProblem(given), shared = random.integer(2) === 1 ? sharedKeys(given) : given;
    const [heads, keys] = shared.key.shape;
    const keyMask = Array.from(
      { length: heads * keys },
      (_, at) => at % keys === 0 || random.uniform() > HIDDEN_SHARE,
    );
    const runs: TreeRun[] = [{ problem: whole, plan: opened(whole, anyPlan(whole, random)) }];
    for (const options of [{}, { keyMask }]) {
      const blocks = anyBlocks(random), causal = causalProblem(shared, blocks, options);
      if (causal) runs.push({ problem: causal, plan: opened(causal, anyCausalPlan(causal, blocks, random)) });
    }
    return await differenceOfTree(context, runs);
  },
};

/** Entries for every key, and for those of clusters that are counted larger than they are. */
function opened<P>({ keys }: Problem, plan: P): P & { entries: number } {
  return { ...plan, entries: 2 * keys };
}

const FEW = 48;

/** With few queries there is nothing to share. */
export const treeFewQueries: Claim = {
  ...common,
  name: "tree-few-queries",
  statement: `${FEW} queries or fewer are answered exactly by tilted-tree, at any budget`,
  formula: `n_q <= ${FEW} ⟹ Att~ = Att`,
  source: "docs/theory.md §5.1",
  assumptions: "single precision",
  cases: holdsOn("gaussian", "heavy-tailed", "huge-logits", "needle", "permutation-softmax"),
  n: 96,
  async run(context) {
    const { implementation, input, on, seed } = context, random = new RandomStream(seed, Purpose.data);
    const given = await input({ ...TREE_SHAPE, queries: 1 + random.integer(FEW) });
    const { query: { shape: [, rows, width], data } } = given, few = Math.min(FEW, rows);
    const query = tensor(data.slice(0, few * width), [1, few, width]);
    const oracle = new Oracle({ ...given, query }), { key, value, scale } = given;
    const budget = { bucketSize: 1 + random.integer(16), samples: random.integer(48), seed };
    const { output } = await on((backend) =>
      implementation.methods["tilted-tree"](backend, makeProblem(query, key, value, { scale }), budget, {})
    );
    return { measured: differenceFrom(oracle, output) };
  },
};
