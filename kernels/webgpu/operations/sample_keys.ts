import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import type { Kernel } from "../engine/kernel.ts";
import { reductions } from "./reductions.ts";
import type { Recorder } from "../engine/recorder.ts";
import { shaders } from "../shaders.generated.ts";

const kernel: Kernel = {
  file: "sample_keys.wgsl",
  source: [shaders["elementary.wgsl"], shaders["random.wgsl"], reductions, shaders["sample_keys.wgsl"]],
};

/** Stratified sampling of keys in exact integer arithmetic. */
export function sampleKeys(
  recorder: Recorder,
  args: Arguments<"sampleKeys">,
): { index: DeviceArray; logWeight: DeviceArray } {
  const { importance, heads, keys, samples, seed, purpose, firstStream } = args;
  const cumulative = recorder.array("word", heads * keys, "the cumulative weights of the keys");
  const index = recorder.array("word", heads * samples, "the sampled keys");
  const logWeight = recorder.array("float", heads * samples, "the log-weights of the sampled keys");
  const step = {
    kernel,
    definitions: { BITS: 31 },
    constants: { LANES: recorder.reducingLanes },
    parameters: { heads, keys, samples, purpose, seedLow: seed[0], seedHigh: seed[1], firstStream },
    bindings: { importance, cumulative, index, logWeight },
  };
  recorder.dispatch({ ...step, entryPoint: "accumulate", workgroups: heads });
  recorder.dispatch({ ...step, entryPoint: "pick", workgroups: Math.ceil(heads * samples / 64) });
  return { index, logWeight };
}
