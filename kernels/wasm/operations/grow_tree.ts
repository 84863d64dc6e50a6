import type { Arguments } from "../../primitives.ts";
import { type RowTree, TREE_SAMPLE } from "../../tree_primitives.ts";
import { packArguments } from "../engine/arguments.ts";
import * as codes from "../engine/codes.generated.ts";
import * as layout from "../engine/layout.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";

/** Records the growth of a tree for each head: its top by one task, what is below by many. */
export function growTree(workspace: Workspace, args: Arguments<"growTree">): RowTree {
  const { heads, count, width } = args, rows = args.rows as WasmArray;
  const order = workspace.words(heads * count), ordered = workspace.floats(heads * count * width);
  const cuts = workspace.words(4 * heads * count), subtrees = workspace.words(4 * heads * layout.SUBTREES);
  const words = packArguments("TreeArguments", { rows, order, ordered, cuts, subtrees, heads, count, width });
  // Five vectors, the sample and its products, products, moved rows and their numbers, nodes that wait.
  const scratchBytes = 5 * (4 * width + 16) + 8 * TREE_SAMPLE + 2 * (4 * count + 16) + 12 * (count + 1) +
    4 * count * width;
  const outputs = [order, ordered, cuts, subtrees];
  workspace.record({ code: codes.GROW_TOP, tasks: heads, words, inputs: [rows], outputs, scratchBytes });
  workspace.record({
    code: codes.GROW_TREE,
    tasks: heads * layout.SUBTREES,
    words,
    inputs: outputs,
    outputs: [order, ordered, cuts],
    scratchBytes,
  });
  return { order, rows: ordered, cuts };
}
