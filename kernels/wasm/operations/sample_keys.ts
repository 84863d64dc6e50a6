import type { Backend, DeviceArray } from "../../backend.ts";
import * as layout from "../engine/layout.ts";
import type { Recorder, WasmArray } from "../engine/program.ts";

/** Records the stratified sampling of keys. */
export function sampleKeys(
  recorder: Recorder,
  args: Parameters<Backend["sampleKeys"]>[0],
): { index: DeviceArray; logWeight: DeviceArray } {
  const { heads, keys, samples, seed, purpose, firstStream } = args;
  const importance = args.importance as WasmArray;
  const index = recorder.words(heads * samples), logWeight = recorder.floats(heads * samples);
  recorder.record({
    code: layout.SAMPLE_KEYS,
    tasks: heads,
    // deno-fmt-ignore
    words: [
      importance.address, index.address, logWeight.address, heads, keys, samples,
      seed[0], seed[1], purpose, firstStream,
    ],
    inputs: [importance],
    outputs: [index, logWeight],
  });
  return { index, logWeight };
}
