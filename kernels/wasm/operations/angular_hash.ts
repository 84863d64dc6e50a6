import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import { packArguments } from "../engine/arguments.ts";
import * as codes from "../engine/codes.generated.ts";
import * as layout from "../engine/layout.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";

/** Records the Gray ranks of the rows' sign patterns. */
export function angularHash(workspace: Workspace, args: Arguments<"angularHash">): DeviceArray {
  const { heads, count, width, projections } = args;
  const rows = args.rows as WasmArray, shift = args.shift as WasmArray | undefined;
  const hyperplanes = args.hyperplanes as WasmArray;
  const ranks = workspace.words(heads * count);
  workspace.record({
    code: codes.ANGULAR_HASH,
    tasks: heads * Math.ceil(count / layout.HASH_ROWS),
    words: packArguments("HashArguments", {
      rows,
      shift,
      hyperplanes,
      ranks,
      heads,
      count,
      width,
      projections,
    }),
    inputs: [rows, shift, hyperplanes],
    outputs: [ranks],
    scratchBytes: 4 * layout.GROUP_ROWS * layout.TILE_KEYS +
      4 * width * (Math.ceil(projections / layout.PANEL) * layout.PANEL + 2 * layout.GROUP_ROWS),
  });
  return ranks;
}
