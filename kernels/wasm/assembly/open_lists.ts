// deno-fmt-ignore-file: AssemblyScript
import { GAIN_STEPS } from "../engine/layout";

@unmanaged
class OpenArguments {
  gains: usize;
  sizes: usize;
  threshold: usize;
  lengths: usize;
  heads: u32;
  centres: u32;
  count: u32;
  budget: u32;
}

/** The threshold of one head: gains are counted by their first 16 bits. */
export function openListsTask(operation: usize, head: u32, scratch: usize): void {
  const args = changetype<OpenArguments>(operation), count = args.count, last = GAIN_STEPS - 1;
  memory.fill(scratch, 0, <usize>GAIN_STEPS << 3);
  let used: u64 = 0;
  for (let i = head * args.centres; i < (head + 1) * args.centres; ++i) {
    const size = <u64>load<u32>(args.sizes + (<usize>i << 2)), gains = args.gains + ((<usize>i * count) << 2);
    used += size;
    for (let j: u32 = 1; j < count; ++j) {
      const at = scratch + (<usize>min<u32>(last, load<u32>(gains + (<usize>j << 2)) >> 16) << 3);
      store<u64>(at, load<u64>(at) + size);
    }
  }
  let least: u32 = GAIN_STEPS;
  for (; least > 1; --least) {
    used += load<u64>(scratch + (<usize>(least - 1) << 3));
    if (used > <u64>args.budget) break;
  }
  store<u32>(args.threshold + (<usize>head << 2), min<u32>(least, last) << 16);
}

/** Length of the list of one centre. */
export function listLengthsTask(operation: usize, task: u32): void {
  const args = changetype<OpenArguments>(operation), count = args.count;
  const threshold = load<f32>(args.threshold + (<usize>(task / args.centres) << 2));
  const gains = args.gains + ((<usize>task * count) << 2);
  let length: u32 = 1;
  for (let j: u32 = 1; j < count; ++j) length += u32(load<f32>(gains + (<usize>j << 2)) >= threshold);
  store<u32>(args.lengths + (<usize>task << 2), length);
}
