import type { Arguments } from "../../primitives.ts";
import type { RowTree } from "../../tree_primitives.ts";
import type { Kernel } from "../engine/kernel.ts";
import type { Recorder } from "../engine/recorder.ts";
import { gatherRows } from "./gather_rows.ts";
import { padRows } from "./pad_rows.ts";
import { reductions } from "./reductions.ts";
import { shaders } from "../shaders.generated.ts";

const common = shaders["grow_tree.wgsl"];
const cutNodes: Kernel = {
  file: "cut_nodes.wgsl",
  source: [reductions, shaders["member_of_part.wgsl"], common, shaders["cut_nodes.wgsl"]],
};
const cutBlocks: Kernel = { file: "cut_blocks.wgsl", source: [common, shaders["cut_blocks.wgsl"]] };

/** Rows of a node that one workgroup cuts down to single rows. */
const BLOCK = 128, SOFTWARE_BLOCK = 32;
/**
 * Lanes on the CPU, where they take turns at every barrier: few, as long as none makes anywhere near the 65,535 turns after
 * which Mesa's driver ends its loops, that is for narrow rows, and nodes that are no longer the largest.
 */
const FEW_LANES = 8, MOST_COLUMNS_OF_FEW = 16, MOST_ROWS_OF_FEW = 4096;
/** Turns of a loop that are written out: see `bisectRows`. */
const AHEAD = 4;
/** Multiply-adds that each number takes as long as, on the CPU: in a level, of its own and of samples; in the blocks, mostly barriers. */
const WORK = 128, WORK_IN_BLOCKS = 2048;
/**
 * Levels of the tree for each halving of the rows down to a block; what is left then is cut by one workgroup a node. On a GPU a level of
 * no node costs as much as two cuts of a small one.
 */
const SOFTWARE_LEVELS = { perHalving: 3, more: 4 }, GPU_LEVELS = { perHalving: 2, more: 2 };

/** A binary tree over the rows of each head, level by level, and in each level all nodes at once. */
export function growTree(recorder: Recorder, args: Arguments<"growTree">): RowTree {
  const { heads, count, width } = args, columns = Math.ceil(width / 4);
  const block = recorder.software ? SOFTWARE_BLOCK : BLOCK, slots = Math.ceil(count / block);
  const order = recorder.array("word", heads * count, "the order of the tree");
  const cuts = recorder.array("word", heads * count * 4, "the cuts of the tree");
  const few = recorder.software && columns <= MOST_COLUMNS_OF_FEW ? FEW_LANES : recorder.reducingLanes;
  const step = {
    definitions: { AHEAD, FRONT: recorder.loadsAhead, BLOCK: block },
    constants: { LANES: few },
    parameters: { heads, count, columns, slots, level: 0, rest: 0 },
    bindings: {
      rows: padRows(recorder, args.rows, heads * count, width),
      order,
      cuts,
      planes: recorder.array("float", heads * count * 4 * columns, "the planes of the tree"),
      products: recorder.array("float", heads * count, "the products of the rows"),
      moved: recorder.array("word", heads * count, "the moved rows"),
      nodes: recorder.array("word", 2 * heads * slots * 4, "the nodes of the tree"),
    },
  };
  recorder.dispatch({
    ...step,
    kernel: cutNodes,
    entryPoint: "begin",
    workgroups: Math.ceil(heads * count / 64),
  });
  const { perHalving, more } = recorder.software ? SOFTWARE_LEVELS : GPU_LEVELS;
  const levels = count > block ? Math.ceil(perHalving * Math.log2(count / block)) + more : 0;
  // The larger side of a cut has seven eighths of a node's rows at most, as far as its sample tells.
  const wideLevels = Math.max(0, Math.ceil(Math.log(count / MOST_ROWS_OF_FEW) / Math.log(8 / 7)));
  for (let level = 0; level < levels; level++) {
    const rest = level === levels - 1, parameters = { ...step.parameters, level, rest: Number(rest) };
    recorder.dispatch({
      ...step,
      kernel: cutNodes,
      parameters,
      constants: { LANES: level < wideLevels || rest ? recorder.reducingLanes : few },
      entryPoint: "cutNodes",
      workgroups: heads * slots,
      work: WORK * heads * count * width,
    });
  }
  recorder.dispatch({
    ...step,
    kernel: cutBlocks,
    entryPoint: "findBlocks",
    workgroups: Math.ceil(heads * slots / 64),
  });
  recorder.dispatch({
    ...step,
    kernel: cutBlocks,
    entryPoint: "cutBlocks",
    workgroups: heads * slots,
    work: WORK_IN_BLOCKS * heads * count * width,
  });
  return { order, rows: gatherRows(recorder, { ...args, index: order, picks: count }), cuts };
}
