// What stands for part number `at` of `count` things, `every` a part but for the last: its place in the part moves on by 0 or 1 from each
// to the next.
fn memberOfPart(at: u32, every: u32, count: u32) -> u32 {
  let first = at * every;
  return first + ((at * GOLDEN_SECTION) >> 16u) % min(every, count - first);
}
