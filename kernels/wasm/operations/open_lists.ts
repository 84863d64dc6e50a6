import type { Arguments } from "../../primitives.ts";
import type { OpenLists } from "../../tree_primitives.ts";
import { packArguments } from "../engine/arguments.ts";
import * as codes from "../engine/codes.generated.ts";
import * as layout from "../engine/layout.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";

/** Records the choice of thresholds, a head a task, and the lengths of the lists, a centre a task. */
export function openLists(workspace: Workspace, args: Arguments<"openLists">): OpenLists {
  const { heads, centres, count, budget } = args,
    gains = args.gains as WasmArray,
    sizes = args.sizes as WasmArray;
  const threshold = workspace.floats(heads), lengths = workspace.words(heads * centres);
  const words = packArguments("OpenArguments", {
    gains,
    sizes,
    threshold,
    lengths,
    heads,
    centres,
    count,
    budget,
  });
  workspace.record({
    code: codes.OPEN_LISTS,
    tasks: heads,
    words,
    inputs: [gains, sizes],
    outputs: [threshold],
    scratchBytes: 8 * layout.GAIN_STEPS,
  });
  workspace.record({
    code: codes.LIST_LENGTHS,
    tasks: heads * centres,
    words,
    inputs: [gains, threshold],
    outputs: [lengths],
  });
  return { threshold, lengths };
}
