import { DeviceLostError } from "../../errors.ts";
import type { Kernel } from "./kernel.ts";
import { Recorder } from "./recorder.ts";
import { shaders } from "../shaders.generated.ts";

/** The feature of a device whose lanes exchange values in subgroups. Deno's WebGPU has none. */
export const SUBGROUPS = "subgroups" as GPUFeatureName;

const kernel: Kernel = {
  file: "subgroups.wgsl",
  source: [{ plain: "", subgroups: shaders["subgroups.wgsl"] }],
};

/** Lanes of the workgroup that is looked at: as many as the largest that kernels take. */
const LANES = 256;

/**
 * Whether subgroups of a device with that feature are what reductions_subgroups.wgsl takes them for: WGSL leaves open which
 * lanes make up a subgroup, and drivers compute wrongly.
 *
 * @throws {DeviceLostError} If the device goes meanwhile.
 */
export async function subgroupsWork(device: GPUDevice): Promise<boolean> {
  const largestArrayBytes = 16 * LANES;
  const recorder = new Recorder(device, {
    software: false,
    largestArrayBytes,
    subgroups: true,
    foreign: true,
  });
  const found = recorder.array("word", 4 * LANES, "the lanes of subgroups");
  recorder.dispatch({
    kernel,
    constants: { LANES },
    parameters: { unused: 0 },
    bindings: { found },
    workgroups: 1,
  });
  try {
    const [words] = await recorder.run([found]);
    return areConsecutive(words);
  } catch (error) {
    // A device that is gone is no device without subgroups; one that only refuses them is used without.
    if (error instanceof DeviceLostError) throw error;
    return false;
  } finally {
    // The device goes on, as one that this recorder does not own.
    recorder.destroy();
  }
}

/** Whether lanes, four words each as subgroups.wgsl writes them, make up subgroups of one size in their own order. */
export function areConsecutive(words: ArrayLike<number>): boolean {
  const size = words[0];
  for (let lane = 0; 4 * lane < words.length; lane++) {
    const place = lane % size, first = lane - place;
    const expected = [size, place, first, first + size - 1];
    if (!expected.every((word, at) => words[4 * lane + at] === word)) return false;
  }
  return true;
}
