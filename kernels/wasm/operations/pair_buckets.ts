import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import { packArguments } from "../engine/arguments.ts";
import * as codes from "../engine/codes.generated.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";

/** Records the blocks of queries and keys of the same bucket. */
export function pairBuckets(workspace: Workspace, args: Arguments<"pairBuckets">): DeviceArray {
  const { heads, queries, keys, buckets, mostQueries, mostKeys } = args;
  const inputs = [args.queryRanks, args.queryOrder, args.keyRanks, args.keyOrder] as WasmArray[];
  const positions = workspace.words(heads * (Math.ceil(queries / mostQueries) + buckets) * 4);
  workspace.record({
    code: codes.PAIR_BUCKETS,
    tasks: heads,
    words: packArguments("PairArguments", {
      queryRanks: args.queryRanks,
      queryOrder: args.queryOrder,
      keyRanks: args.keyRanks,
      keyOrder: args.keyOrder,
      positions,
      queries,
      keys,
      buckets,
      mostQueries,
      mostKeys,
    }),
    inputs,
    outputs: [positions],
  });
  return positions;
}
