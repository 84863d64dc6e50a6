import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import { packArguments } from "../engine/arguments.ts";
import * as codes from "../engine/codes.generated.ts";
import * as layout from "../engine/layout.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";

/** Records the search for the nearest centre of each row. */
export function nearestCentres(workspace: Workspace, args: Arguments<"nearestCentres">): DeviceArray {
  const { heads, count, width, centres } = args;
  const rows = args.rows as WasmArray, centre = args.centre as WasmArray;
  const labels = workspace.words(heads * count), padded = layout.PANEL * Math.ceil(centres / layout.PANEL);
  workspace.record({
    code: codes.NEAREST_CENTRES,
    tasks: heads * Math.ceil(count / layout.HASH_ROWS),
    words: packArguments("NearestArguments", { rows, centre, labels, heads, count, width, centres }),
    inputs: [rows, centre],
    outputs: [labels],
    scratchBytes: 4 * layout.GROUP_ROWS * (layout.TILE_KEYS + width) + 4 * layout.HASH_ROWS +
      4 * padded * (1 + width),
  });
  return labels;
}
