import { type Bisection, CUT_SAMPLE, type OtherRows } from "../../coreset_primitives.ts";
import type { Arguments } from "../../primitives.ts";
import { packArguments } from "../engine/arguments.ts";
import * as codes from "../engine/codes.generated.ts";
import * as layout from "../engine/layout.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";

/** Bytes of a node before its vectors: see `assembly/bisect_rows.ts`. */
const NODE_HEADER = 32;

/** Records the bisection of rows: a tree for each head, then the rows that it did not grow on descend, a chunk a task. */
export function bisectRows(workspace: Workspace, args: Arguments<"bisectRows">): Bisection {
  const { heads, count, width, grownOn, budget, perCluster } = args;
  const rows = args.rows as WasmArray, weights = args.weights as WasmArray;
  const most = Math.min(count, Math.max(1, Math.floor(budget / perCluster)));
  const every = Math.ceil(count / grownOn), grown = Math.ceil(count / every);
  const vector = 4 * Math.ceil(width / 4);
  const labels = workspace.words(heads * count), clusters = workspace.words(heads);
  const products = workspace.words(heads), order = workspace.words(heads * grown);
  const moments = workspace.floats(heads * count);
  const nodes = workspace.words(heads * most * (NODE_HEADER / 4 + 3 * vector));
  const words = packArguments("BisectArguments", {
    rows,
    weights,
    labels,
    clusters,
    products,
    order,
    moments,
    nodes,
    heads,
    count,
    width,
    most,
    budget,
    perCluster,
    every,
  });
  workspace.record({
    code: codes.BISECT_ROWS,
    tasks: heads,
    words,
    inputs: [rows, weights],
    outputs: [labels, clusters, products, order, moments, nodes],
    scratchBytes: 4 * (3 * grown + 2 * vector + CUT_SAMPLE),
  });
  const tree = { heads, width, most, nodes, clusters };
  if (every > 1) descend(workspace, tree, { rows, labels, count, every });
  const others = workspace.words(heads * (args.others?.count ?? 0));
  if (args.others) {
    const { count, centre, scale, treeCentre } = args.others;
    const move = { centre, scale, treeCentre };
    descend(workspace, tree, { rows: args.others.rows as WasmArray, labels: others, count, every: 0, move });
  }
  return { labels, clusters, products, others };
}

interface Tree {
  readonly heads: number;
  readonly width: number;
  readonly most: number;
  readonly nodes: WasmArray;
  readonly clusters: WasmArray;
}

/** Records the descent of rows, a chunk a task: of all, or of those that stand for none of the parts of `every` rows. */
function descend(
  workspace: Workspace,
  { heads, width, most, nodes, clusters }: Tree,
  { rows, labels, count, every, move }: {
    rows: WasmArray;
    labels: WasmArray;
    count: number;
    every: number;
    move?: Pick<OtherRows, "centre" | "scale" | "treeCentre">;
  },
): void {
  workspace.record({
    code: codes.DESCEND_ROWS,
    tasks: heads * Math.ceil(count / layout.DESCENT_ROWS),
    words: packArguments("DescendArguments", {
      rows,
      labels,
      nodes,
      clusters,
      centre: move?.centre,
      scale: move?.scale,
      treeCentre: move?.treeCentre,
      count,
      width,
      most,
      every,
    }),
    inputs: [rows, nodes, clusters, move?.centre, move?.scale, move?.treeCentre] as (WasmArray | undefined)[],
    outputs: [labels],
    scratchBytes: 16 * Math.ceil(width / 4) + 12 * layout.DESCENT_ROWS + 8 * most,
  });
}
