import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import { packArguments } from "../engine/arguments.ts";
import * as codes from "../engine/codes.generated.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";

/** Records the stratified sampling of keys. */
export function sampleKeys(
  workspace: Workspace,
  args: Arguments<"sampleKeys">,
): { index: DeviceArray; logWeight: DeviceArray } {
  const { heads, keys, samples, seed, purpose, firstStream } = args;
  const importance = args.importance as WasmArray;
  const index = workspace.words(heads * samples), logWeight = workspace.floats(heads * samples);
  workspace.record({
    code: codes.SAMPLE_KEYS,
    tasks: heads,
    words: packArguments("SampleArguments", {
      importance,
      index,
      logWeight,
      heads,
      keys,
      samples,
      seedLow: seed[0],
      seedHigh: seed[1],
      purpose,
      firstStream,
    }),
    inputs: [importance],
    outputs: [index, logWeight],
  });
  return { index, logWeight };
}
