import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import type { GpuArray } from "../engine/array.ts";
import type { Kernel } from "../engine/kernel.ts";
import type { Recorder } from "../engine/recorder.ts";
import { reductions } from "./reductions.ts";
import { shaders } from "../shaders.generated.ts";

const kernel: Kernel = {
  file: "sort_by_bucket.wgsl",
  source: [reductions, shaders["sort_by_bucket.wgsl"]],
};

/** Rows that one invocation counts and moves on the CPU, and one workgroup on GPUs, where lanes wait for each load. */
const SOFTWARE_CHUNK = 128, SHARED_CHUNK = 256;
/** Chunks of a head up to which on GPUs the workgroups themselves find where their rows go. */
const MOST_UNSCANNED = 32;
/** Most bits of a rank that one pass sorts by: the counters stay small even for 2^24 buckets. */
const DIGIT_BITS = 8;

/** Stable sort of each head's rows by bucket, in as few radix passes as there must be, of as many buckets each. */
export function sortByBucket(
  recorder: Recorder,
  args: Arguments<"sortByBucket">,
): { order: DeviceArray; position: DeviceArray } {
  const { ranks, heads, count, buckets } = args;
  const bits = Math.max(1, Math.ceil(Math.log2(buckets))), passes = Math.ceil(bits / DIGIT_BITS);
  const digitBits = Math.ceil(bits / passes),
    digits = Math.min(buckets, 2 ** digitBits),
    { software } = recorder,
    chunk = software ? SOFTWARE_CHUNK : SHARED_CHUNK,
    chunks = Math.ceil(count / chunk);
  // Few counters are summed by each workgroup that needs them.
  const scanned = !software && chunks <= MOST_UNSCANNED ? 0 : 1;
  const position = recorder.array("word", heads * count, "the sorted positions");
  const offsets = recorder.array("word", heads * digits * chunks, "the bucket offsets");
  let previous: GpuArray | undefined;
  for (let pass = 0; pass < passes; pass++) {
    const order = recorder.array("word", heads * count, "the sorted order");
    const first = pass === 0 ? 1 : 0, last = pass === passes - 1 ? 1 : 0;
    const step = {
      kernel,
      definitions: { CHUNK: chunk, AHEAD: recorder.loadsAhead },
      constants: { LANES: recorder.reducingLanes },
      parameters: {
        heads,
        count,
        chunks,
        digits,
        shift: pass * digitBits,
        mask: 2 ** digitBits - 1,
        first,
        last,
        scanned,
      },
      bindings: { ranks, previous, offsets, order, position },
    };
    const [counting, scattering] = software ? ["countDigits", "scatter"] : ["countShared", "scatterShared"];
    const workgroups = software ? Math.ceil(heads * chunks / 64) : heads * chunks;
    recorder.dispatch({ ...step, entryPoint: counting, workgroups });
    if (scanned) recorder.dispatch({ ...step, entryPoint: "scanOffsets", workgroups: heads });
    recorder.dispatch({ ...step, entryPoint: scattering, workgroups });
    previous = order;
  }
  return { order: previous!, position };
}
