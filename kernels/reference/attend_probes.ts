import type { Backend, DeviceArray, PartialAttention } from "../backend.ts";
import { attend } from "./attend.ts";
import { softmaxRows } from "./softmax_rows.ts";

/** Attention of few queries together with its probabilities. */
export function attendProbes(
  args: Parameters<Backend["attendProbes"]>[0],
): PartialAttention & { probabilities: DeviceArray } {
  return { ...attend(args), probabilities: softmaxRows(args) };
}
