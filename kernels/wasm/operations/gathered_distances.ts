import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import { packArguments } from "../engine/arguments.ts";
import * as codes from "../engine/codes.generated.ts";
import * as layout from "../engine/layout.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";

/** Records the distances of queries to rows of their own choice. */
export function gatheredDistances(
  workspace: Workspace,
  args: Arguments<"gatheredDistances">,
): DeviceArray {
  const { heads, count, queries, width, picks } = args;
  const rows = args.rows as WasmArray, query = args.query as WasmArray, index = args.index as WasmArray;
  const result = workspace.floats(heads * queries * picks);
  workspace.record({
    code: codes.GATHERED_DISTANCES,
    tasks: heads * queries * Math.ceil(picks / layout.CHUNK_ROWS),
    words: packArguments("DistanceArguments", {
      rows,
      query,
      index,
      result,
      heads,
      count,
      queries,
      width,
      picks,
    }),
    inputs: [rows, query, index],
    outputs: [result],
  });
  return result;
}
