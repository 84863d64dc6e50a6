import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import { packArguments } from "../engine/arguments.ts";
import * as codes from "../engine/codes.generated.ts";
import * as layout from "../engine/layout.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";

/** Records copies of the picked rows. */
export function gatherRows(workspace: Workspace, args: Arguments<"gatherRows">): DeviceArray {
  const { heads, count, width, picks } = args;
  const rows = args.rows as WasmArray, index = args.index as WasmArray;
  const result = workspace.floats(heads * picks * width);
  workspace.record({
    code: codes.GATHER_ROWS,
    tasks: heads * Math.ceil(picks / layout.CHUNK_ROWS),
    words: packArguments("RowArguments", { rows, other: index, result, heads, count, width, picks }),
    inputs: [rows, index],
    outputs: [result],
  });
  return result;
}
