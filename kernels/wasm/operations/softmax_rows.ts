import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import * as layout from "../engine/layout.ts";
import { addressOf, floatWord, type WasmArray, type Workspace } from "../engine/program.ts";

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
): number[] {
  const { heads, queries, keys, features } = args;
  const query = args.query as WasmArray, key = args.key as WasmArray;
  const arrays = [outputs?.logSumExp, outputs?.value, outputs?.output, outputs?.partial];
  // deno-fmt-ignore
  const words = [
    query.address, key.address, probabilities.address, ...arrays.map(addressOf),
    heads, queries, keys, features, outputs?.valueFeatures ?? 0, floatWord(args.scale),
  ];
  workspace.record({
    code: layout.PROBE_LOGITS,
    tasks: heads * Math.ceil(keys / layout.CHUNK_KEYS),
    words,
    inputs: [query, key],
    outputs: [probabilities],
    scratchBytes: 4 * layout.GROUP_ROWS * layout.TILE_KEYS +
      4 * features * (layout.CHUNK_KEYS + layout.GROUP_ROWS),
  });
  workspace.record({
    code: layout.PROBE_SOFTMAX,
    tasks: heads * queries,
    words,
    inputs: [probabilities],
    outputs: outputs ? [probabilities, outputs.logSumExp] : [probabilities],
  });
  return words;
}
