import type { Kernel } from "../engine/kernel.ts";
import { shaders } from "../shaders.generated.ts";

/** Means, differences, copies and paddings of rows. */
export const kernel: Kernel = {
  file: "rows.wgsl",
  source: [shaders["rows.wgsl"]],
};
