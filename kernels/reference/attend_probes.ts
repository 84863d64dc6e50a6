import type { DeviceArray, PartialAttention } from "../backend.ts";
import type { Arguments } from "../primitives.ts";
import { attend } from "./attend.ts";
import { softmaxRows } from "./softmax_rows.ts";

/** Attention of few queries together with its probabilities. */
export function attendProbes(
  args: Arguments<"attendProbes">,
): PartialAttention & { probabilities: DeviceArray } {
  return { ...attend(args), probabilities: softmaxRows(args) };
}
