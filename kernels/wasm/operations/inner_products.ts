import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import { packArguments } from "../engine/arguments.ts";
import * as codes from "../engine/codes.generated.ts";
import * as layout from "../engine/layout.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";

/** Records the inner products of rows with directions. */
export function innerProducts(
  workspace: Workspace,
  args: Arguments<"innerProducts">,
): DeviceArray {
  const { heads, count, width, projections } = args;
  const rows = args.rows as WasmArray, directions = args.directions as WasmArray;
  const result = workspace.floats(heads * count * projections);
  workspace.record({
    code: codes.INNER_PRODUCTS,
    tasks: heads * Math.ceil(count / layout.HASH_ROWS) * Math.ceil(projections / layout.CHUNK_KEYS),
    words: packArguments("ProductArguments", { rows, directions, result, heads, count, width, projections }),
    inputs: [rows, directions],
    outputs: [result],
    scratchBytes: 4 * layout.GROUP_ROWS * layout.TILE_KEYS +
      4 * width * (layout.CHUNK_KEYS + layout.GROUP_ROWS),
  });
  return result;
}
