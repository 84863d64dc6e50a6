import type { AttendArguments, PartialAttention } from "../backend.ts";
import { floatBits } from "./array.ts";
import source from "./attend_registers.wgsl" with { type: "text" };
import type { Kernel } from "./pipelines.ts";
import type { Recorder } from "./recorder.ts";
import { padRows } from "./rows.ts";

const kernel: Kernel = {
  file: "attend_registers.wgsl",
  source,
  access: ["read", "read", "read", "read", "read", "write", "write"],
};

export function attend(recorder: Recorder, args: AttendArguments, rows = 8): PartialAttention {
  const { heads, queries, keys, features, valueFeatures, logWeights, causal, exclude } = args;
  const blocks = args.blocks ?? 1;
  const output = recorder.array("float", heads * queries * valueFeatures, "the attention output");
  const logSumExp = recorder.array("float", heads * queries, "the log-sum-exp");
  const valueColumns = Math.ceil(valueFeatures / 4);
  const chunks = Math.ceil(valueColumns / 16), columns = Math.ceil(valueColumns / chunks);
  const blockTiles = Math.ceil(Math.ceil(queries / blocks) / rows);
  const tiles = heads * blocks * blockTiles;
  recorder.dispatch({
    kernel,
    definitions: { ROWS: rows, FEATURES: Math.ceil(features / 4), COLUMNS: columns },
    constants: { WEIGHTED: logWeights ? 1 : 0, CAUSAL: causal ? 1 : 0, EXCLUDING: exclude ? 1 : 0 },
    parameters: [
      queries,
      keys,
      valueFeatures,
      valueColumns,
      blocks,
      blockTiles,
      tiles,
      chunks,
      causal?.period ?? 1,
      causal?.offset ?? 0,
      exclude?.blocks ?? 1,
      floatBits(args.scale),
    ],
    arrays: [
      padRows(recorder, args.query, heads * queries, features),
      padRows(recorder, args.key, heads * keys, features),
      padRows(recorder, args.value, heads * keys, valueFeatures),
      logWeights,
      exclude?.keyBlocks,
      output,
      logSumExp,
    ],
    workgroups: Math.ceil(tiles * chunks / 16),
  });
  return { output, logSumExp };
}
