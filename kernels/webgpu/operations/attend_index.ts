import type { AttendArguments, DeviceArray } from "../../backend.ts";
import type { Kernel } from "../engine/kernel.ts";
import type { Recorder } from "../engine/recorder.ts";
import { shaders } from "../shaders.generated.ts";

const kernel: Kernel = {
  file: "attend_index.wgsl",
  source: [shaders["attend_index.wgsl"]],
};

/** What attention reads by index, in one array, and where in it. */
export interface AttendIndex {
  readonly keyOrderAt: number;
  readonly keyBlocksAt: number;
  readonly boundsAt: number;
  readonly samplesAt: number;
  /** Undefined where nothing is read by index. */
  readonly array: DeviceArray | undefined;
}

/** Puts the orders, the blocks that keys are hidden from, the bounds of blocks and the sampled keys into one array. */
export function attendIndex(recorder: Recorder, args: AttendArguments): AttendIndex {
  const { heads, queries, keys, blocks = 1, queryOrder, keyOrder, exclude, bounds, samples } = args;
  const keyOrderAt = queryOrder ? heads * queries : 0;
  const keyBlocksAt = keyOrderAt + (keyOrder ? heads * keys : 0);
  const boundsAt = keyBlocksAt + (exclude ? heads * keys : 0);
  const samplesAt = boundsAt + (bounds ? 4 * heads * blocks : 0);
  const sampled = heads * (samples?.count ?? 0), parts = samplesAt + sampled;
  if (parts === 0) return { keyOrderAt, keyBlocksAt, boundsAt, samplesAt, array: undefined };
  const array = recorder.array("word", samplesAt + 3 * sampled, "the index of the keys");
  recorder.dispatch({
    kernel,
    parameters: {
      keys,
      blocks,
      samples: samples?.count ?? 1,
      keyOrderAt,
      keyBlocksAt,
      boundsAt,
      samplesAt,
      parts,
    },
    bindings: {
      queryOrder,
      keyOrder,
      keyBlocks: exclude?.keyBlocks,
      bounds: bounds?.positions,
      sample: samples?.index,
      logWeight: samples?.logWeights,
      position: samples?.position,
      index: array,
    },
    workgroups: Math.ceil(parts / 64),
  });
  return { keyOrderAt, keyBlocksAt, boundsAt, samplesAt, array };
}
