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

/** How many lanes subgroups have; a device may choose anew for each kernel. */
export interface SubgroupLanes {
  /** The fewest that a kernel may be given. */
  readonly fewest: number;
  /** As many as the kernel that looks at them has found. */
  readonly usual: number;
}

/** Fewest lanes of a subgroup in WebGPU. */
export const FEWEST_LANES = 4;

/** Lanes of the workgroup that is looked at: as many as the largest that kernels take. */
const LANES = 256;
/** How far apart the lanes are that kernels have exchange values, in bits of their places. */
const APART: readonly number[] = [1, 2, 3, 4, 8, 12];

/**
 * How many lanes the subgroups of a device with that feature have; undefined where they are not what kernels take them for: WGSL
 * leaves open which lanes make up a subgroup, and drivers compute wrongly.
 *
 * @throws {DeviceLostError} If the device goes meanwhile.
 */
export async function subgroupLanes(device: GPUDevice): Promise<SubgroupLanes | undefined> {
  const largestArrayBytes = 4 * LANES * Math.max(4, APART.length);
  const recorder = new Recorder(device, {
    software: false,
    largestArrayBytes,
    subgroups: true,
    foreign: true,
  });
  const found = recorder.array("word", 4 * LANES, "the lanes of subgroups");
  const exchanged = recorder.array("word", APART.length * LANES, "what lanes exchange");
  recorder.dispatch({
    kernel,
    constants: { LANES },
    parameters: { unused: 0 },
    bindings: { found, exchanged },
    workgroups: 1,
  });
  try {
    const [words, others] = await recorder.run([found, exchanged]);
    const usual = words[0], { adapterInfo } = device as { adapterInfo?: { subgroupMinSize?: number } };
    if (!areConsecutive(words) || !areExchanged(others, usual)) return undefined;
    return { usual, fewest: Math.min(usual, adapterInfo?.subgroupMinSize || FEWEST_LANES) };
  } catch (error) {
    // A device that is gone is no device without subgroups; one that only refuses them is used without.
    if (error instanceof DeviceLostError) throw error;
    return undefined;
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

/** Whether each lane of subgroups of one size has found the numbers of the lanes so far apart, as subgroups.wgsl writes them. */
export function areExchanged(words: ArrayLike<number>, size: number): boolean {
  return Array.from(words).every((word, at) => {
    const apart = APART[at % APART.length], lane = Math.floor(at / APART.length);
    // Further apart than the subgroup is wide there is nothing to exchange.
    return apart >= size || word === (lane ^ apart);
  });
}
