import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import { packArguments } from "../engine/arguments.ts";
import * as codes from "../engine/codes.generated.ts";
import * as layout from "../engine/layout.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";

/** Records rows minus the centre of their head. */
export function centreRows(workspace: Workspace, args: Arguments<"centreRows">): DeviceArray {
  const { heads, count, width } = args;
  const rows = args.rows as WasmArray, centre = args.centre as WasmArray;
  const result = workspace.floats(heads * count * width);
  workspace.record({
    code: codes.CENTRE_ROWS,
    tasks: heads * Math.ceil(count / layout.CHUNK_ROWS),
    words: packArguments("RowArguments", { rows, other: centre, result, heads, count, width, picks: 0 }),
    inputs: [rows, centre],
    outputs: [result],
  });
  return result;
}
