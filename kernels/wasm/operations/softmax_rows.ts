import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import { packArguments } from "../engine/arguments.ts";
import * as codes from "../engine/codes.generated.ts";
import * as layout from "../engine/layout.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";

type Probes = Arguments<"softmaxRows">;

/** What is asked for beside the probabilities. */
export interface Outputs {
  readonly value: WasmArray;
  readonly valueFeatures: number;
  readonly logSumExp: WasmArray;
  readonly output: WasmArray;
  /** Contributions of chunks of keys. */
  readonly partial: WasmArray;
}

/** Records the softmax probabilities of few queries. */
export function softmaxRows(workspace: Workspace, args: Probes): DeviceArray {
  const probabilities = workspace.floats(args.heads * args.queries * args.keys);
  recordProbabilities(workspace, args, probabilities);
  return probabilities;
}

/** Logits, then the softmax of each row; returns the words of the operations. */
export function recordProbabilities(
  workspace: Workspace,
  args: Probes,
  probabilities: WasmArray,
  outputs?: Outputs,
): readonly number[] {
  const { heads, queries, keys, features } = args;
  const query = args.query as WasmArray, key = args.key as WasmArray;
  const words = packArguments("SoftmaxArguments", {
    query,
    key,
    probabilities,
    logSumExp: outputs?.logSumExp,
    value: outputs?.value,
    output: outputs?.output,
    partial: outputs?.partial,
    heads,
    queries,
    keys,
    features,
    valueFeatures: outputs?.valueFeatures ?? 0,
    scale: args.scale,
  });
  workspace.record({
    code: codes.PROBE_LOGITS,
    tasks: heads * Math.ceil(keys / layout.CHUNK_KEYS),
    words,
    inputs: [query, key],
    outputs: [probabilities],
    scratchBytes: 4 * layout.GROUP_ROWS * layout.TILE_KEYS +
      4 * features * (layout.CHUNK_KEYS + layout.GROUP_ROWS),
  });
  workspace.record({
    code: codes.PROBE_SOFTMAX,
    tasks: heads * queries,
    words,
    inputs: [probabilities],
    outputs: outputs ? [probabilities, outputs.logSumExp] : [probabilities],
  });
  return words;
}
