import type { DeviceArray, PartialAttention } from "../../backend.ts";
import type { Kernel } from "../engine/kernel.ts";
import type { Recorder } from "../engine/recorder.ts";
import { shaders } from "../shaders.generated.ts";

const kernel: Kernel = {
  file: "join_splits.wgsl",
  source: [shaders["elementary.wgsl"], shaders["join_splits.wgsl"]],
};

/** Splits that an invocation loads at a time, no more than there are and than suit a device. */
const AHEAD = [1, 2, 4, 8];

/** Shapes of what the splits of an attention leave, in vec4s where wide. */
export interface SplitShape {
  readonly rows: number;
  readonly splits: number;
  readonly valueColumns: number;
  readonly chunks: number;
  readonly columns: number;
  /** What each leaves in `paused`, of which this reads the first. */
  readonly stride: number;
  /** Factor on the values. */
  readonly unit: number;
}

/** Joins what workgroups leave that took other keys each for the same rows. */
export function joinSplits(
  recorder: Recorder,
  shape: SplitShape,
  { sums, paused }: { sums: DeviceArray; paused: DeviceArray },
  result: PartialAttention,
): void {
  recorder.dispatch({
    kernel,
    definitions: { AHEAD: AHEAD.find((few) => few >= shape.splits || few >= recorder.loadsAhead)! },
    parameters: { ...shape },
    bindings: { sums, paused, ...result },
    workgroups: Math.ceil(shape.rows * shape.valueColumns / 64),
  });
}
