import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import { packArguments } from "../engine/arguments.ts";
import * as codes from "../engine/codes.generated.ts";
import * as layout from "../engine/layout.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";

/** Records the mean of the rows of each head. */
export function columnMean(workspace: Workspace, args: Arguments<"columnMean">): DeviceArray {
  const { heads, count, width } = args;
  const rows = args.rows as WasmArray, chunks = Math.ceil(count / layout.SUM_ROWS);
  const sums = workspace.floats(heads * chunks * width), mean = workspace.floats(heads * width);
  workspace.record({
    code: codes.COLUMN_SUMS,
    tasks: heads * chunks,
    words: packArguments("RowArguments", {
      rows,
      other: undefined,
      result: sums,
      heads,
      count,
      width,
      picks: 0,
    }),
    inputs: [rows],
    outputs: [sums],
  });
  workspace.record({
    code: codes.COLUMN_MEAN,
    tasks: heads,
    words: packArguments("RowArguments", { rows, other: sums, result: mean, heads, count, width, picks: 0 }),
    inputs: [rows, sums],
    outputs: [mean],
  });
  return mean;
}
