import type { Arguments } from "../../primitives.ts";
import { type TiltedKeys, TREE_GROUP } from "../../tree_primitives.ts";
import { packArguments } from "../engine/arguments.ts";
import * as codes from "../engine/codes.generated.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";

/** Bytes of the moments of a node before the sum of its rows: see `assembly/tilt_keys.ts`. */
const MOMENTS_HEADER = 16;
/** Bytes of the distances within a bundle. */
const PAIR_BYTES = 32;

/** How many centres go through a tree of keys together: as many as leave tasks enough for many threads. */
export function centresTogether(centres: number): number {
  return centres >= 64 ? 4 : centres >= 32 ? 2 : 1;
}

/** Records the weights of keys, some centres a task. */
export function tiltKeys(workspace: Workspace, args: Arguments<"tiltKeys">): TiltedKeys {
  const { heads, centres, count, width, tree, picks = 0 } = args, logits = args.logits as WasmArray;
  const rows = tree.rows as WasmArray, cuts = tree.cuts as WasmArray;
  const offsets = args.offsets as WasmArray | undefined;
  const ends = args.ends as WasmArray | undefined, order = ends && tree.order as WasmArray;
  const weights = workspace.floats(heads * centres * count),
    gains = workspace.floats(heads * centres * count);
  const logMass = workspace.floats(heads * centres), together = centresTogether(heads * centres);
  // The larger side of a node is done first, so that no more than this many halves wait.
  const waiting = Math.ceil(Math.log2(count)) + 3;
  // Weights by which queries look, and what is known of groups.
  const groups = Math.ceil(count / TREE_GROUP);
  const sharing = offsets ? 4 * together * count + 4 * (groups * (5 + width) + 8) : 0;
  workspace.record({
    code: codes.TILT_KEYS,
    tasks: heads * Math.ceil(centres / together),
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
      together,
    }),
    inputs: [logits, rows, cuts, order, ends, offsets],
    outputs: [weights, gains, logMass],
    scratchBytes: PAIR_BYTES + sharing + 16 * (count + 2) +
      waiting * together * (MOMENTS_HEADER + 4 * width + 16),
  });
  return { weights, logMass, gains };
}
