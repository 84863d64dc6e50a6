import type { Arguments } from "../../primitives.ts";
import type { TiltedKeys } from "../../tree_primitives.ts";
import type { Kernel } from "../engine/kernel.ts";
import type { Recorder } from "../engine/recorder.ts";
import { padRows } from "./pad_rows.ts";
import { reductions } from "./reductions.ts";
import { shareGroups } from "./share_groups.ts";
import { shaders } from "../shaders.generated.ts";

const weigher: Kernel = {
  file: "tilt_keys.wgsl",
  source: [shaders["elementary.wgsl"], reductions, shaders["tilt_keys.wgsl"]],
};
const scatterer: Kernel = {
  file: "key_scatters.wgsl",
  source: [reductions, shaders["key_scatters.wgsl"], shaders["row_moments.wgsl"]],
};

/** Keys of a workgroup that weighs, places of one that measures scatters, most lanes for a node, and centres of a tile. */
const CHUNK = 1024, WINDOW = 64, MOST_GROUP = 8, FOUR = 4;
/** Rows that a lane of a GPU loads in front of what uses them. */
const FRONT = 4;

/**
 * Lanes that measure scatters; and few of them on the CPU, where they take turns at every barrier, as long as none comes anywhere
 * near the 65,535 turns after which Mesa's driver ends its loops.
 */
const LANES = 64, FEW_LANES = 8, MOST_KEYS_OF_FEW = 8192, MOST_COLUMNS_OF_FEW = 16;

/** Weights of keys for centres, and what cutting the nodes of their tree gains. */
export function tiltKeys(recorder: Recorder, args: Arguments<"tiltKeys">): TiltedKeys {
  const { logits, tree, heads, centres, count, width } = args, rows = heads * centres;
  const weights = recorder.array("float", rows * count, "the weights of the keys");
  const logMass = recorder.array("float", rows, "the masses of the keys");
  const chunks = Math.ceil(count / CHUNK);
  const weighing = {
    kernel: weigher,
    constants: { LANES: recorder.reducingLanes },
    parameters: { rows, count, chunks, centres, limited: args.ends ? 1 : 0 },
    bindings: {
      logits,
      order: args.ends && tree.order,
      ends: args.ends,
      chunkSums: recorder.array("float", rows * chunks * 2, "the partial masses of the keys"),
      weights,
      logMass,
    },
    workgroups: rows * chunks,
  };
  recorder.dispatch({ ...weighing, entryPoint: "sumChunks" });
  recorder.dispatch({ ...weighing, entryPoint: "weigh" });
  const columns = Math.ceil(width / 4), windows = Math.ceil(count / WINDOW);
  const tiles = Math.ceil(centres / FOUR), pieces = heads * tiles * windows;
  const group = Math.min(MOST_GROUP, 2 ** Math.ceil(Math.log2(columns)));
  const few = recorder.software && count <= MOST_KEYS_OF_FEW && columns <= MOST_COLUMNS_OF_FEW;
  const lanes = few ? FEW_LANES : LANES;
  const gains = recorder.array("float", rows * count, "the gains of the cuts");
  const padded = padRows(recorder, tree.rows, heads * count, width);
  const measuring = {
    kernel: scatterer,
    definitions: { GROUP: group, FOUR, FRONT: recorder.software ? 1 : FRONT },
    constants: { LANES: lanes },
    parameters: { heads, centres, count, columns, windows, tiles, firstWorkgroup: 0 },
    bindings: {
      rows: padded,
      cuts: tree.cuts,
      weights: shareGroups(recorder, args, padded, weights),
      windows: recorder.array("float", rows * windows * 4 * (columns + 1), "the moments of the keys"),
      parents: recorder.array("word", heads * count, "the parents of the nodes"),
      scatters: recorder.array("float", rows * count, "the scatters of the nodes"),
      gains,
    },
  };
  // What each number takes as long as, in multiply-adds: nodes of all levels, and loads.
  const work = 8 * rows * count * width;
  recorder.dispatch({
    ...measuring,
    entryPoint: "findParents",
    workgroups: Math.ceil(heads * count / 64),
  });
  recorder.dispatch({
    ...measuring,
    entryPoint: "sumWindows",
    workgroups: Math.ceil(pieces * group / lanes),
    work,
  });
  recorder.dispatch({ ...measuring, entryPoint: "measure", workgroups: pieces, work: 16 * work });
  recorder.dispatch({ ...measuring, entryPoint: "limit", workgroups: Math.ceil(rows * count / 64) });
  return { weights, logMass, gains };
}
