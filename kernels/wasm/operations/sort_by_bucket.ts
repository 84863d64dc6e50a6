import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import { packArguments } from "../engine/arguments.ts";
import * as codes from "../engine/codes.generated.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";

/** Digits of one pass of the sort: twin of DIGITS in `assembly/sort_by_bucket.ts`. */
const DIGITS = 4096;

/** Records the stable sort by bucket. */
export function sortByBucket(
  workspace: Workspace,
  args: Arguments<"sortByBucket">,
): { order: DeviceArray; position: DeviceArray } {
  const { heads, count, buckets } = args;
  const ranks = args.ranks as WasmArray;
  const order = workspace.words(heads * count), position = workspace.words(heads * count);
  const scratch = workspace.words(heads * (DIGITS + count));
  workspace.record({
    code: codes.SORT_BY_BUCKET,
    tasks: heads,
    words: packArguments("SortArguments", { ranks, order, position, scratch, heads, count, buckets }),
    inputs: [ranks],
    outputs: [order, position, scratch],
  });
  return { order, position };
}
