import type { Backend, DeviceArray } from "../backend.ts";
import source from "./blocks_of.wgsl" with { type: "text" };
import type { Kernel } from "./pipelines.ts";
import type { Recorder } from "./recorder.ts";

const kernel: Kernel = { file: "blocks_of.wgsl", source: [source], access: ["read", "read", "write"] };

/** Block of each picked row's sorted position. */
export function blocksOf(recorder: Recorder, args: Parameters<Backend["blocksOf"]>[0]): DeviceArray {
  const { position, index, heads, count, picks, blocks } = args;
  const blockIds = recorder.array("word", heads * picks, "the blocks of the picked rows");
  recorder.dispatch({
    kernel,
    parameters: [heads, count, picks, blocks],
    arrays: [position, index, blockIds],
    workgroups: Math.ceil(heads * picks / 64),
  });
  return blockIds;
}
