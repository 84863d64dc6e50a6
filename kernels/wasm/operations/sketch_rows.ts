import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import { packArguments } from "../engine/arguments.ts";
import * as codes from "../engine/codes.generated.ts";
import * as layout from "../engine/layout.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";

/** Records sketches of the rows. */
export function sketchRows(workspace: Workspace, args: Arguments<"sketchRows">): DeviceArray {
  const { heads, count, width, folded } = args;
  const rows = args.rows as WasmArray, signs = args.signs as WasmArray;
  const result = workspace.floats(heads * count * folded);
  workspace.record({
    code: codes.SKETCH_ROWS,
    tasks: heads * Math.ceil(count / layout.CHUNK_ROWS),
    words: packArguments("RowArguments", { rows, other: signs, result, heads, count, width, picks: folded }),
    inputs: [rows, signs],
    outputs: [result],
  });
  return result;
}
