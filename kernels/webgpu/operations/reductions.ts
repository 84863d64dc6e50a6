import type { TwinSource } from "../engine/pipelines.ts";
import plain from "./reductions.wgsl" with { type: "text" };
import subgroups from "./reductions_subgroups.wgsl" with { type: "text" };

/** Sums and maxima over the lanes of a workgroup, for kernels to build on: `LANES` is theirs to set. */
export const reductions: TwinSource = { plain, subgroups };
