import type { TwinSource } from "../engine/kernel.ts";
import { shaders } from "../shaders.generated.ts";

/** Sums and maxima over the lanes of a workgroup, for kernels to build on: `LANES` is theirs to set. */
export const reductions: TwinSource = {
  plain: shaders["reductions.wgsl"],
  subgroups: shaders["reductions_subgroups.wgsl"],
};
