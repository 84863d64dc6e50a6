import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import { packArguments } from "../engine/arguments.ts";
import * as codes from "../engine/codes.generated.ts";
import * as layout from "../engine/layout.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";

/** Records rows + offset + query · slope. */
export function addLinear(workspace: Workspace, args: Arguments<"addLinear">): DeviceArray {
  const result = workspace.floats(args.heads * args.count * args.valueFeatures);
  multiply(workspace, args, result);
  return result;
}

type Product = Omit<Arguments<"addLinear">, "rows" | "offset"> & {
  readonly rows?: DeviceArray;
  readonly offset?: DeviceArray;
};

/** Records query · slope, added to rows + offset if there are any. */
export function multiply(workspace: Workspace, args: Product, result: WasmArray): void {
  const { heads, count, features, valueFeatures } = args;
  const inputs = [args.rows, args.query, args.slope, args.offset] as (WasmArray | undefined)[];
  workspace.record({
    code: codes.ADD_LINEAR,
    tasks: heads * Math.ceil(count / layout.CHUNK_ROWS),
    words: packArguments("LinearArguments", {
      rows: args.rows,
      query: args.query,
      slope: args.slope,
      offset: args.offset,
      result,
      heads,
      count,
      features,
      valueFeatures,
      sameRow: args.sameRow ? 1 : 0,
    }),
    inputs,
    outputs: [result],
  });
}
