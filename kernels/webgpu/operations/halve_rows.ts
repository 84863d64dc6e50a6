import type { DeviceArray } from "../../backend.ts";
import type { Kernel } from "../engine/kernel.ts";
import type { Recorder } from "../engine/recorder.ts";
import { shaders } from "../shaders.generated.ts";

const kernel: Kernel = {
  file: "halve_rows.wgsl",
  source: [shaders["halve_rows.wgsl"]],
};

/**
 * Below the largest half float, 65504: where the largest magnitude is brought to. What lies up to 2^28 below it keeps all
 * 11 bits, without the subnormal halves that devices may flush.
 */
const TARGET = 2 ** 14;
/** Magnitudes that need not be brought there: their unit, divided by a sum of weights, would not be a normal float. */
const LEAST = 2 ** -80;

/** Rows in half floats, and the power of two that makes of them what they were. */
export interface HalvedRows {
  readonly rows: DeviceArray;
  readonly unit: number;
}

/** Rows as half floats in whole fours: [count, width] -> [count, 4 ⌈width/4⌉], two halves a word. */
export function halveRows(
  recorder: Recorder,
  rows: DeviceArray,
  { count, width, largest }: { count: number; width: number; largest: number },
): HalvedRows {
  const columns = Math.ceil(width / 4), fours = count * columns;
  const halves = recorder.array("word", 2 * fours, "the rows in half floats");
  const unit = 2 ** Math.floor(Math.log2(Math.max(largest, LEAST))) / TARGET;
  recorder.dispatch({
    kernel,
    parameters: { fours, width, columns, unit: 1 / unit },
    bindings: { rows, halves },
    workgroups: Math.ceil(fours / 64),
  });
  return { rows: halves, unit };
}
