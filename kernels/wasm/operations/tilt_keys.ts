import type { Arguments } from "../../primitives.ts";
import type { TiltedKeys } from "../../tree_primitives.ts";
import { packArguments } from "../engine/arguments.ts";
import * as codes from "../engine/codes.generated.ts";
import * as layout from "../engine/layout.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";

/** Bytes of the moments of a node before the sums of its rows: see `assembly/tilt_keys.ts`. */
const MOMENTS_HEADER = 32;

/** Records the weights of keys, some centres a task. */
export function tiltKeys(workspace: Workspace, args: Arguments<"tiltKeys">): TiltedKeys {
  const { heads, centres, count, width, tree } = args, logits = args.logits as WasmArray;
  const rows = tree.rows as WasmArray, cuts = tree.cuts as WasmArray;
  const ends = args.ends as WasmArray | undefined, order = ends && tree.order as WasmArray;
  const weights = workspace.floats(heads * centres * count),
    gains = workspace.floats(heads * centres * count);
  const logMass = workspace.floats(heads * centres);
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
      weights,
      logMass,
      gains,
      heads,
      centres,
      count,
      width,
    }),
    inputs: [logits, rows, cuts, order, ends],
    outputs: [weights, gains, logMass],
    scratchBytes: 32 * (count + 1) + waiting * (MOMENTS_HEADER + 16 * width),
  });
  return { weights, logMass, gains };
}
