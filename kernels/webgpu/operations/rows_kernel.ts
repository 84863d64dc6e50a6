import type { Kernel } from "../engine/pipelines.ts";
import source from "./rows.wgsl" with { type: "text" };

/** Means, differences, copies and paddings of rows. */
export const kernel: Kernel = {
  file: "rows.wgsl",
  source: [source],
  access: ["read", "read", "read", "write"],
};
