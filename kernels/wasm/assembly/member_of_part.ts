// deno-fmt-ignore-file: AssemblyScript
import { GOLDEN_SECTION } from "../../constants";

/** What stands for part number `at` of `count` things, `every` a part but for the last: its place in the part moves on by 0 or 1 from each to the next. */
@inline
export function memberOfPart(at: u32, every: u32, count: u32): u32 {
  const first = at * every;
  return every === 1 ? at : first + ((at * GOLDEN_SECTION) >> 16) % min<u32>(every, count - first);
}
