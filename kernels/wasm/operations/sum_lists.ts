import type { Arguments } from "../../primitives.ts";
import type { ListSums } from "../../tree_primitives.ts";
import { packArguments } from "../engine/arguments.ts";
import * as codes from "../engine/codes.generated.ts";
import * as layout from "../engine/layout.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";

/** Bytes of an open entry before the sum of its rows: see `assembly/sum_lists.ts`. */
const ENTRY_HEADER = 32;

/** How many centres go through the keys together: as many as leave tasks enough for many threads. */
function centresTogether(centres: number): number {
  return centres >= 32 ? 4 : centres >= 16 ? 2 : 1;
}

/** Records the sums of lists, some centres a task. */
export function sumLists(workspace: Workspace, args: Arguments<"sumLists">): ListSums {
  const { heads, centres, count, width, features, valueFeatures, most, tree, tilted } = args;
  const given = {
    key: args.key as WasmArray,
    value: args.value as WasmArray,
    rows: tree.rows as WasmArray,
    weights: tilted.weights as WasmArray,
    gains: tilted.gains as WasmArray,
    logMass: tilted.logMass as WasmArray,
    threshold: args.threshold as WasmArray,
    first: args.first as WasmArray,
    centre: args.centre as WasmArray,
  };
  const listKey = workspace.floats(heads * most * features), logWeight = workspace.floats(heads * most);
  const listValue = workspace.floats(heads * most * valueFeatures);
  const together = centresTogether(heads * centres);
  const sizes = { heads, centres, count, width, features, valueFeatures, most, together };
  workspace.record({
    code: codes.SUM_LISTS,
    tasks: heads * Math.ceil(centres / together),
    words: packArguments("ListArguments", { ...given, listKey, listValue, logWeight, ...sizes }),
    inputs: Object.values(given),
    outputs: [listKey, listValue, logWeight],
    scratchBytes: 4 * (layout.CHUNK_KEYS + Math.max(width, features, valueFeatures)) +
      together * (ENTRY_HEADER + 4 * width),
  });
  return { key: listKey, value: listValue, logWeight };
}
