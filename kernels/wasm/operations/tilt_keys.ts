import type { Arguments } from "../../primitives.ts";
import { type TiltedKeys, TREE_GROUP } from "../../tree_primitives.ts";
import { packArguments } from "../engine/arguments.ts";
import * as codes from "../engine/codes.generated.ts";
import * as layout from "../engine/layout.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";

/** Bytes of the moments of a node before the sums of its rows: see `assembly/tilt_keys.ts`. */
const MOMENTS_HEADER = 32;

/** Records the weights of keys, some centres a task. */
export function tiltKeys(workspace: Workspace, args: Arguments<"tiltKeys">): TiltedKeys {
  const { heads, centres, count, width, tree, picks = 0 } = args, logits = args.logits as WasmArray;
  const rows = tree.rows as WasmArray, cuts = tree.cuts as WasmArray;
  const offsets = args.offsets as WasmArray | undefined;
  const ends = args.ends as WasmArray | undefined, order = ends && tree.order as WasmArray;
  const weights = workspace.floats(heads * centres * count),
    gains = workspace.floats(heads * centres * count);
  const logMass = workspace.floats(heads * centres);
  const groups = Math.ceil(count / TREE_GROUP),
    asked = layout.LOOKS_TOGETHER * Math.ceil(picks / layout.LOOKS_TOGETHER);
  const sharing = offsets
    ? 16 * (groups * (3 + layout.LOOKS_TOGETHER + width) + asked * width) + 4 * (groups + 4)
    : 0;
  // The larger side of a node is done first, so that no more than this many halves wait.
  const waiting = Math.ceil(Math.log2(count)) + 3;
  workspace.record({
    code: codes.TILT_KEYS,
    tasks: heads * Math.ceil(centres / layout.LANE_CENTRES),
    words: packArguments("TiltArguments", {
      logits,
      rows,
      cuts,
      order,
      ends,
      offsets,
      weights,
      logMass,
      gains,
      heads,
      centres,
      count,
      width,
      picks,
    }),
    inputs: [logits, rows, cuts, order, ends, offsets],
    outputs: [weights, gains, logMass],
    // Weights and gains; then, one after the other, what is known of groups, and nodes that wait with their moments.
    scratchBytes: 32 * count + Math.max(sharing, 16 * (count + 2) + waiting * (MOMENTS_HEADER + 16 * width)),
  });
  return { weights, logMass, gains };
}
