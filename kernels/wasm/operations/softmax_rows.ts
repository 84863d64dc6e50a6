import type { Backend, DeviceArray } from "../../backend.ts";
import * as layout from "../engine/layout.ts";
import { addressOf, floatWord, type Recorder, type WasmArray } from "../engine/program.ts";

type Probes = Parameters<Backend["softmaxRows"]>[0];

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
export function softmaxRows(recorder: Recorder, args: Probes): DeviceArray {
  const probabilities = recorder.floats(args.heads * args.queries * args.keys);
  recordProbabilities(recorder, args, probabilities);
  return probabilities;
}

/** Logits, then the softmax of each row; returns the words of the operations. */
export function recordProbabilities(
  recorder: Recorder,
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
  recorder.record({
    code: layout.PROBE_LOGITS,
    tasks: heads * Math.ceil(keys / layout.CHUNK_KEYS),
    words,
    inputs: [query, key],
    outputs: [probabilities],
    scratchBytes: 4 * layout.GROUP_ROWS * layout.TILE_KEYS +
      4 * features * (layout.CHUNK_KEYS + layout.GROUP_ROWS),
  });
  recorder.record({
    code: layout.PROBE_SOFTMAX,
    tasks: heads * queries,
    words,
    inputs: [probabilities],
    outputs: outputs ? [probabilities, outputs.logSumExp] : [probabilities],
  });
  return words;
}
